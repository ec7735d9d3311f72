import Foundations
import Payload

/// Calculating with values that are JSON text.
enum TraitValue {
    /// The exact sum; nothing counts as 0. Nil: one is no number, or the sum is too large.
    static func sum(_ a: [UInt8]?, _ b: [UInt8]) -> [UInt8]? {
        func number(_ text: [UInt8]) -> Decimal? { text.withUnsafeBytes { Decimal($0.trimmed) } }
        guard let y = number(b), let x = a.map(number) ?? .zero, let sum = Decimal.sum(x, y) else {
            return nil
        }
        return Array(sum.description.utf8)
    }

    /// A list of the elements of both, none twice; what is no list counts as its only element. Nil: there are too
    /// many.
    static func union(_ a: [UInt8]?, _ b: [UInt8]) -> [UInt8]? {
        var list = ByteBuffer(capacity: (a?.count ?? 0) + b.count + 2)
        var seen: Set<UInt64> = []
        var hasher = ContentHasher()
        list.append(UInt8(ascii: "["))
        for text in [a, b].compactMap({ $0 }) {
            text.withUnsafeBytes { bytes in
                var document = JSONDocument()
                guard (try? document.parse(bytes)) != nil else { return }
                let root = document.root
                let elements = root.kind == .array ? Array(root.elements) : [root]
                for element in elements where !element.isNull && seen.insert(hasher.hash(element)).inserted {
                    if list.count > 1 { list.append(UInt8(ascii: ",")) }
                    list.append(element.bytes)
                }
            }
        }
        list.append(UInt8(ascii: "]"))
        return seen.count <= TraitState.mostElements ? Array(list.bytes) : nil
    }

    /// Characters of a text, elements of a list, bytes of anything else.
    static func length(_ json: [UInt8]) -> Int {
        json.withUnsafeBytes { bytes in
            var document = JSONDocument()
            guard (try? document.parse(bytes)) != nil else { return bytes.count }
            let root = document.root
            switch root.kind {
            case .array: return root.count
            case .string:
                var text = ByteBuffer(capacity: root.bytes.count)
                root.appendText(to: &text)
                return text.bytes.text.count
            default: return root.bytes.count
            }
        }
    }
}
