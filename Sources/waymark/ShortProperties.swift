import Foundations
import Payload

/// The properties of an event on one line: what tells most, in short.
enum ShortProperties {
    /// What a reader looks for first, by name.
    private static let important = [
        "name", "title", "product", "product_name", "item", "sku", "order_id", "order", "id", "amount",
        "total",
        "value", "price", "currency", "quantity", "items", "products", "page", "url", "path", "query",
        "search",
        "category", "status", "email", "plan", "channel", "campaign",
    ]
    private static let most = 5
    private static let longest = 48

    /// At most five, the important ones first, then in their order.
    static func text(of json: [UInt8]) -> String {
        let found = all(of: json)
        let first = important.compactMap { name in found.first { $0.name == name } }
        let rest = found.filter { !important.contains($0.name) }
        let listed = (first + rest).prefix(most).map { "\($0.name) \($0.value)" }
        return listed.joined(separator: ", ") + (found.count > most ? ", …" : "")
    }

    /// Every member that is not empty, with its value in short.
    static func all(of json: [UInt8]) -> [(name: String, value: String)] {
        json.withUnsafeBytes { bytes in
            var document = JSONDocument()
            guard (try? document.parse(bytes)) != nil else { return [] }
            return document.root.members.compactMap { key, value in
                short(value).map { (name: text(key), value: $0) }
            }
        }
    }

    private static func short(_ value: JSONNode) -> String? {
        switch value.kind {
        case .null: return nil
        case .string:
            let text = text(value)
            return text.isEmpty ? nil : cut(path(text))
        case .number, .true, .false: return cut(value.bytes.text)
        case .array:
            let elements = Array(value.elements)
            if elements.isEmpty { return nil }
            let scalars = elements.compactMap { $0.kind == .object || $0.kind == .array ? nil : short($0) }
            return scalars.count == elements.count
                ? cut(scalars.joined(separator: "+")) : "\(elements.count) ×"
        case .object:
            let names = value.members.map { text($0.key) }
            return names.isEmpty ? nil : cut("{\(names.joined(separator: " "))}")
        }
    }

    private static func text(_ node: JSONNode) -> String {
        var buffer = ByteBuffer(capacity: 64)
        _ = node.appendText(to: &buffer)
        return buffer.bytes.text
    }

    private static func cut(_ text: String) -> String {
        text.count <= longest ? text : text.prefix(longest - 1) + "…"
    }

    /// Of an address, what stands behind the host: a person's events are nearly always of one site.
    static func path(_ text: String) -> String {
        guard text.hasPrefix("https://") || text.hasPrefix("http://") else { return text }
        let rest = text.drop { $0 != ":" }.dropFirst(3)
        let path = rest.drop { $0 != "/" }
        return path.count > 1 ? String(path) : String(rest.prefix { $0 != "/" })
    }
}
