import Foundations
import Glibc
import Payload

/// Finds the page that an event happened on, where the common snippets say it.
///
///     the event's context, its properties, the request's context, in each:
///         page.url · url · page_url · href · location · page.path
///     the page before it:
///         page.referrer (a text, or its url or host) · referrer · page_referrer
struct PageFinder: ~Copyable {
    private var document = JSONDocument()
    private var text = ByteBuffer(capacity: 1024)

    private static let names: [StaticString] = ["url", "page_url", "href", "location"]
    private static let referrers: [StaticString] = ["referrer", "page_referrer"]

    /// The page of an event; nil: nothing names one. `wantsArrival`: also how somebody came to it.
    mutating func page(of event: VisitEvent, wantsArrival: Bool) -> VisitRun.Sighting? {
        for json in [event.context, event.properties, event.requestContext] {
            if let found = page(in: json, at: event.time, wantsArrival) { return found }
        }
        return nil
    }

    /// The page that a context names, in short.
    mutating func page(ofContext json: Bytes) -> String? {
        page(in: json, at: Timestamp(microseconds: 0), false)?.page
    }

    private mutating func page(
        in json: Bytes, at time: Timestamp, _ wantsArrival: Bool
    ) -> VisitRun.Sighting? {
        // Most events of backends name no page: that shows without parsing.
        guard Self.mayName(json), (try? document.parse(json)) != nil else { return nil }
        let root = document.root
        let page = root.member("page")
        guard let address = Self.address(page, root) else { return nil }
        text.removeAll()
        address.appendText(to: &text)
        let end = text.count
        if wantsArrival, let referrer = Self.referrer(page, root) { referrer.appendText(to: &text) }
        let own = text[0..<end]
        guard own.trimmed.count > 0 else { return nil }
        let arrival =
            wantsArrival ? Arrival(address: own, referrer: text[end..<text.count].trimmed) : Arrival()
        return VisitRun.Sighting(at: time, page: PageAddress.clean(own), arrival: arrival)
    }

    /// Does a name that is looked for stand before any of the quotes?
    private static func mayName(_ json: Bytes) -> Bool {
        guard let base = json.baseAddress else { return false }
        var at = 1
        while at < json.count, let quote = memchr(base + at, 0x22, json.count - at) {
            let end = UnsafeRawPointer(quote) - base
            for ending in ["url", "page", "href", "ation"] as [StaticString] {
                let length = ending.utf8CodeUnitCount
                if end > length, memcmp(base + end - length, ending.utf8Start, length) == 0 { return true }
            }
            at = end + 1
        }
        return false
    }

    private static func address(_ page: JSONNode?, _ root: JSONNode) -> JSONNode? {
        if let page, page.kind == .object {
            for name in names { if let found = page.text(name) { return found } }
        }
        for name in names { if let found = root.text(name) { return found } }
        return page.flatMap { $0.kind == .object ? $0.text("path") : nil }
    }

    private static func referrer(_ page: JSONNode?, _ root: JSONNode) -> JSONNode? {
        for object in [page, root].compactMap({ $0 }) where object.kind == .object {
            for name in referrers {
                guard let found = object.member(name) else { continue }
                if found.kind == .object { return found.text("url") ?? found.text("host") }
                if let text = object.text(name) { return text }
            }
        }
        return nil
    }
}

extension JSONNode {
    /// A member that is a text, and not a blank one.
    fileprivate func text(_ name: StaticString) -> JSONNode? {
        guard let node = member(name), node.kind == .string, node.contents.trimmed.count > 0 else {
            return nil
        }
        return node
    }
}
