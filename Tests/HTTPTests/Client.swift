import Foundations
import Glibc

/// An answer, as a client sees it.
struct Answer: Equatable {
    var status: Int
    /// Names in lower case.
    var fields: [String: String]
    var body: String
}

/// A blocking client that sends exactly what it is told to.
final class Client {
    let socket: Int32
    private var received: [UInt8] = []

    /// `address` as the server printed it.
    init(_ address: String) throws {
        if address.hasPrefix("unix:") {
            socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: address.dropFirst(5).utf8) }
            try connect(name, MemoryLayout<sockaddr_un>.size)
        } else if address.hasPrefix("[") {
            socket = Glibc.socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = Self.port(address).bigEndian
            name.sin6_addr = in6addr_loopback
            try connect(name, MemoryLayout<sockaddr_in6>.size)
        } else {
            socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = Self.port(address).bigEndian
            name.sin_addr.s_addr = inet_addr("127.0.0.1")
            try connect(name, MemoryLayout<sockaddr_in>.size)
        }
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var one: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
    }

    deinit { close(socket) }

    static func port(_ address: String) -> UInt16 {
        UInt16(address.split(separator: ":").last ?? "") ?? 0
    }

    private func connect<Name>(_ name: Name, _ size: Int) throws {
        let code = withUnsafePointer(to: name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(size))
            }
        }
        if code != 0 { throw SystemError("connect") }
    }

    /// How many bytes the kernel took; fewer than all when the server does not read.
    @discardableResult
    func send(_ bytes: [UInt8], flags: Int32 = 0) -> Int {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    socket, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL) | flags)
            }
            if count <= 0 { break }
            sent += count
        }
        return sent
    }

    @discardableResult
    func send(_ text: String) -> Int { send(Array(text.utf8)) }

    func get(_ target: String, _ fields: String = "") {
        send("GET \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
    }

    /// No more will be sent.
    func finish() { shutdown(socket, Int32(SHUT_WR)) }

    /// Closes with a reset, as a crashed peer does.
    func reset() {
        var hard = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
    }

    private func more() -> Bool {
        var room = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &room, room.count, 0)
        if count > 0 { received += room[0..<count] }
        return count > 0
    }

    private func line() -> String? {
        while true {
            if let feed = received.firstIndex(of: 10) {
                let text = String(decoding: received[0..<feed], as: UTF8.self)
                received.removeFirst(feed + 1)
                return text.hasSuffix("\r") ? String(text.dropLast()) : text
            }
            guard more() else { return nil }
        }
    }

    /// The next answer; nil when the server closed instead, or said nothing for too long.
    func answer(toHead isHead: Bool = false) -> Answer? {
        guard let first = line(), first.hasPrefix("HTTP/1.1 "), let status = Int(first.dropFirst(9).prefix(3))
        else {
            return nil
        }
        var fields: [String: String] = [:]
        while let field = line(), !field.isEmpty {
            guard let colon = field.firstIndex(of: ":") else { return nil }
            let value = field[field.index(colon, offsetBy: 2)...]
            fields[field[..<colon].lowercased()] = String(value)
        }
        let length = isHead ? 0 : Int(fields["content-length"] ?? "0") ?? 0
        while received.count < length { guard more() else { return nil } }
        let body = String(decoding: received[0..<length], as: UTF8.self)
        received.removeFirst(length)
        return Answer(status: status, fields: fields, body: body)
    }

    /// Does the server close, without another byte?
    var isClosed: Bool {
        var byte: UInt8 = 0
        guard received.isEmpty else { return false }
        let count = recv(socket, &byte, 1, 0)
        return count == 0 || count < 0 && errno == ECONNRESET
    }
}
