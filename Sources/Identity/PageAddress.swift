import Foundations

/// The address of a page, as it is kept: what tells pages apart, without what tells visitors or campaigns apart.
///
/// The scheme and the host are lower-cased; parameters of campaigns and click ids go, others stay, since many shops
/// name their pages by them; a fragment goes unless a single-page application keeps its route there (`#/…`, `#!…`).
package enum PageAddress {
    /// In bytes; what is longer is cut.
    static let longest = 1024

    package static func clean(_ address: Bytes) -> String {
        let (path, query, fragment) = parts(address.trimmed)
        var out = ByteBuffer(capacity: address.count)
        appendLowerCaseHost(path, to: &out)
        var isFirst = true
        for parameter in fields(query) where parameter.count > 0 && !isTracking(name(of: parameter)) {
            out.append(UInt8(ascii: isFirst ? "?" : "&"))
            out.append(parameter)
            isFirst = false
        }
        if fragment.count > 1, fragment[0] == UInt8(ascii: "/") || fragment[0] == UInt8(ascii: "!") {
            out.append(UInt8(ascii: "#"))
            out.append(fragment)
        }
        return text(out.bytes)
    }

    /// The parameters of its query, as they stand in it.
    static func parameters(_ address: Bytes) -> [(name: Bytes, value: Bytes)] {
        fields(parts(address.trimmed).query).map { field in
            let name = name(of: field)
            return (name, field.slice(min(name.count + 1, field.count)..<field.count))
        }
    }

    /// Do both begin with the same scheme and host?
    static func isSameSite(_ a: Bytes, _ b: Bytes) -> Bool {
        let (a, b) = (host(a.trimmed), host(b.trimmed))
        guard a.count > 0, a.count == b.count else { return false }
        return zip(a, b).allSatisfy { lower($0) == lower($1) }
    }

    // MARK: Parts

    private static func parts(_ address: Bytes) -> (path: Bytes, query: Bytes, fragment: Bytes) {
        let hash = address.firstIndex(of: UInt8(ascii: "#")) ?? address.count
        let before = address.slice(0..<hash)
        let mark = before.firstIndex(of: UInt8(ascii: "?")) ?? hash
        return (
            address.slice(0..<mark), address.slice(min(mark + 1, hash)..<hash),
            address.slice(min(hash + 1, address.count)..<address.count)
        )
    }

    private static func fields(_ query: Bytes) -> [Bytes] {
        var fields: [Bytes] = []
        var from = 0
        for i in 0...query.count where i == query.count || query[i] == UInt8(ascii: "&") {
            fields.append(query.slice(from..<i))
            from = i + 1
        }
        return fields
    }

    private static func name(of field: Bytes) -> Bytes {
        field.slice(0..<(field.firstIndex(of: UInt8(ascii: "=")) ?? field.count))
    }

    private static func isTracking(_ name: Bytes) -> Bool {
        if name.count > 4, name.slice(0..<4).equalsIgnoringCase("utm_") { return true }
        return Arrival.clickNames.contains { name.equalsIgnoringCase($0) }
    }

    /// What stands between `://` and the next slash; empty: it is no whole address.
    private static func host(_ address: Bytes) -> Bytes {
        let path = parts(address).path
        guard let start = hostStart(path) else { return .empty }
        return path.slice(start..<hostEnd(path, start))
    }

    private static func hostStart(_ path: Bytes) -> Int? {
        guard let colon = path.firstIndex(of: UInt8(ascii: ":")), colon > 0, colon < 12,
            path.count > colon + 3,
            path[colon + 1] == UInt8(ascii: "/"), path[colon + 2] == UInt8(ascii: "/")
        else { return nil }
        return colon + 3
    }

    private static func hostEnd(_ path: Bytes, _ start: Int) -> Int {
        path.slice(start..<path.count).firstIndex(of: UInt8(ascii: "/")).map { $0 + start } ?? path.count
    }

    private static func appendLowerCaseHost(_ path: Bytes, to out: inout ByteBuffer) {
        let end = hostStart(path).map { hostEnd(path, $0) } ?? 0
        for i in 0..<end { out.append(lower(path[i])) }
        out.append(path.slice(end..<path.count))
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 32 : byte }

    /// Cut at a character's end, so that it stays UTF-8.
    private static func text(_ bytes: Bytes) -> String {
        guard bytes.count > longest else { return bytes.text }
        var end = longest
        while end > 0, bytes[end] & 0xc0 == 0x80 { end -= 1 }
        return bytes.slice(0..<end).text
    }
}
