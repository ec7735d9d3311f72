/// A URL with places to be filled in from an event: `https://crm.example/who?voucher={properties.voucher_id}`.
package struct URLTemplate: Sendable, Equatable {
    private enum Piece: Sendable, Equatable {
        case text(String)
        case place(ValuePath)
    }

    private let pieces: [Piece]

    /// A place that cannot be read stays as it is written: the configuration's reader has refused it.
    package init(_ text: String) {
        var pieces: [Piece] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            pieces.append(.text(String(rest[..<open])))
            let name = rest[rest.index(after: open)..<close]
            if let path = ValuePath(String(name)) {
                pieces.append(.place(path))
            } else {
                pieces.append(.text(String(rest[open...close])))
            }
            rest = rest[rest.index(after: close)...]
        }
        pieces.append(.text(String(rest)))
        self.pieces = pieces
    }

    package var places: [ValuePath] {
        pieces.compactMap { if case .place(let path) = $0 { path } else { nil } }
    }

    /// The URL for one event; nil when one of its places has no value there: then there is nothing to ask.
    package func filled(_ value: (ValuePath) -> [UInt8]?) -> String? {
        var url = ""
        for piece in pieces {
            switch piece {
            case .text(let text): url += text
            case .place(let path):
                guard let bytes = value(path), !bytes.isEmpty else { return nil }
                url += Self.encoded(bytes)
            }
        }
        return url.utf8.count <= 8192 ? url : nil
    }

    /// RFC 3986: all but unreserved characters as `%XX`.
    private static func encoded(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in bytes {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: out.append(byte)
            default: out += [37, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
