import Foundations
import Payload

/// How somebody came to a first page: the page before, and the campaign that the page's address names.
package struct Arrival: Equatable, Sendable {
    /// As the browser said it, without a site's own pages.
    package var referrer: String?
    /// `utm_source`, `utm_medium`, `utm_campaign`, `utm_term`, `utm_content`, in this order; nil: not in the address.
    package var utm: [String?] = Array(repeating: nil, count: Arrival.utmNames.count)
    /// The name of the click id, such as `gclid`, which tells who sent the visitor.
    package var clickSource: String?
    package var clickID: String?

    package static let utmNames: [StaticString] = [
        "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content",
    ]

    /// The click ids of ad networks and mailers; the first of them that an address has is taken.
    package static let clickNames: [StaticString] = [
        "gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "yclid",
        "epik", "rdt_cid", "sccid", "igshid", "mc_eid", "_kx", "irclickid", "awc", "srsltid", "_openstat",
    ]

    package init() {}

    /// Reads the query of a page's address.
    package init(address: Bytes, referrer: Bytes) {
        var click = Self.clickNames.count
        for (name, value) in PageAddress.parameters(address) where value.count > 0 {
            if let i = Self.utmNames.firstIndex(where: { name.equalsIgnoringCase($0) }) {
                utm[i] = utm[i] ?? Self.text(value)
            } else if let i = Self.clickNames.firstIndex(where: { name.equalsIgnoringCase($0) }), i < click {
                click = i
                clickSource = Self.clickNames[i].description
                clickID = Self.text(value)
            }
        }
        if referrer.count > 0, !PageAddress.isSameSite(referrer, address) {
            self.referrer = PageAddress.clean(referrer)
        }
    }

    private static func text(_ value: Bytes) -> String {
        var buffer = ByteBuffer(capacity: value.count)
        PercentDecoding.append(value.prefix(PageAddress.longest), plusIsSpace: true, to: &buffer)
        return buffer.bytes.trimmed.text
    }
}

extension UnsafeRawBufferPointer {
    /// At most this many of the first bytes.
    func prefix(_ most: Int) -> UnsafeRawBufferPointer { slice(0..<Swift.min(most, count)) }
}
