import Foundations
import Glibc

/// Just enough of HTTP to send, and to know when an answer is whole.
enum Answer {
    /// The status of an answer with a `Content-Length`; nil while more is to come.
    static func status(ofWhole bytes: [UInt8]) -> Int? {
        bytes.withUnsafeBytes { bytes in
            guard let end = find("\r\n\r\n", in: bytes), let field = find("content-length:", in: bytes),
                field < end
            else { return nil }
            let length = number(Bytes(rebasing: bytes[(field + 15)..<end]))
            if bytes.count < end + 4 + length || end < 12 { return nil }
            return bytes[9..<12].reduce(0) { $0 * 10 + Int($1) - 48 }
        }
    }

    /// The number at the beginning, after spaces.
    static func number(_ bytes: Bytes) -> Int {
        var number = 0
        for byte in bytes.drop(while: { $0 == UInt8(ascii: " ") }) {
            guard (48...57).contains(byte) else { break }
            number = number * 10 + Int(byte - 48)
        }
        return number
    }

    /// Where a text begins, whatever its letters' case.
    static func find(_ text: StaticString, in bytes: Bytes) -> Int? {
        let count = text.utf8CodeUnitCount
        if bytes.count < count { return nil }
        let first = text.utf8Start[0]
        for i in 0...(bytes.count - count) where bytes[i] | 0x20 == first | 0x20 {
            if bytes.slice(i..<i + count).equalsIgnoringCase(text) { return i }
        }
        return nil
    }

    /// A port of 127.0.0.1.
    static func local(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    static func connect(_ port: UInt16) throws(SystemError) -> Int32 {
        let descriptor = try retrying("socket") { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        var address = local(port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = try retrying("connect") {
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, size) }
            }
        }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        return descriptor
    }
}

/// What the server counts.
enum Metrics {
    /// A value of `/metrics`, over a connection of its own; nil when there is none.
    static func value(_ name: String, port: UInt16) -> Double? {
        guard let socket = try? Answer.connect(port) else { return nil }
        defer { close(socket) }
        let request = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        guard write(socket, request, request.utf8.count) == request.utf8.count else { return nil }
        var page: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let n = read(socket, &buffer, buffer.count)
            if n <= 0 { break }
            page.append(contentsOf: buffer[0..<n])
        }
        let line = String(decoding: page, as: UTF8.self).split(whereSeparator: \.isNewline)
            .first { $0.hasPrefix(name + " ") }
        return line.flatMap { Double($0.dropFirst(name.utf8.count + 1)) }
    }
}
