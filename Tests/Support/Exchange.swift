import Foundation

/// A request as a test writes it; `bytes` is what goes over the wire.
package struct Request: Sendable {
    package var method: String
    package var target: String
    package var headers: [(String, String)]
    package var body: [UInt8]?

    package init(
        _ method: String, _ target: String, _ headers: [(String, String)] = [], body: [UInt8]? = nil
    ) {
        (self.method, self.target, self.headers, self.body) = (method, target, headers, body)
    }

    /// `Host` and `Content-Length` are added when they are not among the headers.
    package var bytes: [UInt8] {
        var head = "\(method) \(target) HTTP/1.1\r\n"
        func has(_ name: String) -> Bool { headers.contains { $0.0.lowercased() == name } }
        if !has("host") { head += "Host: waymark.example\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body, !has("content-length"), !has("transfer-encoding") {
            head += "Content-Length: \(body.count)\r\n"
        }
        return Array((head + "\r\n").utf8) + (body ?? [])
    }
}

/// An answer, taken apart.
package struct Response: Sendable {
    package let status: Int
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    /// The value of a header, several joined by `, `; nil when there is none.
    package func header(_ name: String) -> String? {
        let values = headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }

    package var text: String { String(decoding: body, as: UTF8.self) }

    package func json() throws -> JSON {
        do { return try JSON(body) } catch { throw Failure("\(status): \(error)") }
    }

    /// Reads one answer from the front of `bytes`; nil: more is needed.
    static func read(_ bytes: [UInt8], to method: String) throws -> (Response, length: Int)? {
        guard let end = bytes.firstRange(of: [13, 10, 13, 10]) else { return nil }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        var lines = head.components(separatedBy: "\r\n")
        let first = lines.removeFirst().split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard first.count == 3, first[0] == "HTTP/1.1", let status = Int(first[1]),
            (100...599).contains(status)
        else { throw Client.Trouble.malformed(head) }
        let headers = try lines.map { line in
            guard let colon = line.firstIndex(of: ":"), !line.hasPrefix(" ") else {
                throw Client.Trouble.malformed(line)
            }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            return (name: String(line[..<colon]), value: value)
        }
        let lengths = headers.filter { $0.name.lowercased() == "content-length" }
        var length = 0
        if status >= 200, status != 204, status != 304 {
            guard lengths.count == 1, let said = Int(lengths[0].value) else {
                throw Client.Trouble.malformed(head)
            }
            length = method == "HEAD" ? 0 : said
        }
        guard bytes.count >= end.upperBound + length else { return nil }
        let body = Array(bytes[end.upperBound..<end.upperBound + length])
        return (Response(status: status, headers: headers, body: body), end.upperBound + length)
    }
}
