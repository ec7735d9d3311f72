import Foundations
import Payload

/// The bytes that are posted: items in the envelope of a panel and a format.
package enum WireBody {
    /// Bodies above are worth a word in the log …
    package static let warned = 20 << 10
    /// … and bodies above are not sent.
    package static let largest = 256 << 10
    /// What their attempt says that was none.
    static let tooLarge = "the body is too large"

    /// What stands around items, frozen with them: `form acme`.
    package struct Envelope: Sendable, Hashable {
        package var format: WebhookDefinition.Format
        package var panel: String

        package init(format: WebhookDefinition.Format, panel: String) {
            (self.format, self.panel) = (format, panel)
        }

        package init?(_ text: String) {
            guard let space = text.firstIndex(of: " "),
                let format = WebhookDefinition.Format(rawValue: String(text[..<space]))
            else { return nil }
            self.init(format: format, panel: String(text[text.index(after: space)...]))
        }

        package var text: String { "\(format.rawValue) \(panel)" }
    }

    /// - Parameter at: When the batch was made; of a single item nothing depends on it.
    package static func make(_ items: [[UInt8]], _ envelope: Envelope, at time: Timestamp) -> [UInt8] {
        var json = ByteBuffer(capacity: items.reduce(64) { $0 + $1.count + 1 })
        let isBare = envelope.format == .standard && items.count == 1
        if envelope.format == .standard {
            if !isBare {
                json.append("{\"type\":\"batch\",\"timestamp\":\"" as StaticString)
                json.append(time.iso8601)
                json.append("\",\"data\":[" as StaticString)
            }
        } else {
            json.append(UInt8(ascii: "{"))
            _ = appendJSONString(envelope.panel, to: &json)
            json.append(":[" as StaticString)
        }
        for (i, item) in items.enumerated() {
            if i > 0 { json.append(UInt8(ascii: ",")) }
            json.append(item)
        }
        if !isBare { json.append("]}" as StaticString) }
        return envelope.format == .form ? form(json.bytes) : Array(json.bytes)
    }

    /// `data=` and the text, percent-encoded but for `A–Z a–z 0–9 - _ . ~`.
    static func form(_ text: Bytes) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        var out = Array("data=".utf8)
        out.reserveCapacity(text.count * 2 + 5)
        for byte in text {
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                out.append(byte)
            default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return out
    }
}
