import Foundation

/// A connection to the server on which every byte is the test's own.
///
/// Nothing here is helpful: it sends what it is told, in the pieces it is told, and reads one answer at a time.
package final class Client {
    private let socket: Int32
    private var unread: [UInt8] = []
    private let patience: Double

    package enum Trouble: Error, Equatable {
        case refused(String)
        /// The other side closed or reset the connection before a whole answer.
        case closed
        case late
        case malformed(String)
    }

    /// Connects to `127.0.0.1:8686`, `[::1]:8686` or `unix:/path`; to the first also `from` another 127.x address.
    package init(_ address: String, patience: Double = 30, from source: String? = nil) throws {
        self.patience = patience
        socket = try connectedSocket(address, from: source)
    }

    deinit { close(socket) }

    /// Sends all bytes. What the other side no longer wants is dropped silently: its answer tells.
    package func send(_ bytes: [UInt8]) throws {
        var sent = 0
        let deadline = Moment.now + patience
        while sent < bytes.count {
            let n = bytes[sent...].withUnsafeBytes {
                Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if n > 0 {
                sent += n
            } else if errno == EPIPE || errno == ECONNRESET {
                return
            } else if errno != EINTR {
                throw Trouble.closed
            }
            if Moment.now > deadline { throw Trouble.late }
        }
    }

    package func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Sends what the kernel takes at once; how much that was.
    package func offer(_ bytes: ArraySlice<UInt8>) -> Int {
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        return bytes.withUnsafeBytes { max(0, Foundation.send(socket, $0.baseAddress, $0.count, flags)) }
    }

    /// Ends the connection without a word, as when a cable is cut and the other side finds out at once.
    package func reset() {
        var hard = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
        // A socket that is not connected any more is closed with the client.
        var none = sockaddr()
        none.sa_family = sa_family_t(AF_UNSPEC)
        connect(socket, &none, socklen_t(MemoryLayout<sockaddr>.size))
    }

    /// Sends in pieces, each as a packet of its own where the kernel lets it.
    package func send(pieces: [[UInt8]], every seconds: Double = 0.001) throws {
        for piece in pieces {
            try send(piece)
            pause(seconds)
        }
    }

    /// No more will be sent: the other side reads an end.
    package func endSending() { shutdown(socket, Int32(SHUT_WR)) }

    /// The next final answer; an interim one (`100`) is skipped when `interim` is false.
    package func receive(to method: String = "POST", interim: Bool = false) throws -> Response {
        let deadline = Moment.now + patience
        while true {
            if let (response, length) = try Response.read(unread, to: method) {
                unread.removeFirst(length)
                if interim || response.status >= 200 { return response }
                continue
            }
            guard try fill(until: deadline) else { throw Trouble.closed }
        }
    }

    /// True when the other side closes (or resets) the connection in time, whatever it sends until then.
    package func isClosed(within seconds: Double = 20) -> Bool {
        let deadline = Moment.now + seconds
        do {
            while try fill(until: deadline) {}
            return true
        } catch {
            return false
        }
    }

    /// All that comes until the other side closes.
    package func readToEnd(within seconds: Double = 20) throws -> [UInt8] {
        let deadline = Moment.now + seconds
        while try fill(until: deadline) {}
        return unread
    }

    /// True when for so long nothing comes and the connection stays open.
    package func isSilent(for seconds: Double) -> Bool {
        do { _ = try fill(until: Moment.now + seconds) } catch { return true }
        return false
    }

    /// One request and its answer.
    package func exchange(_ request: Request) throws -> Response {
        try send(request.bytes)
        return try receive(to: request.method)
    }

    /// Reads something; false at the end.
    private func fill(until deadline: Double) throws -> Bool {
        while true {
            let left = deadline - Moment.now
            var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, Int32(max(0, min(left * 1000 + 1, 1e6)))) > 0 else {
                if left <= 0 { throw Trouble.late }
                continue
            }
            var room = [UInt8](repeating: 0, count: 65536)
            let n = recv(socket, &room, room.count, 0)
            if n > 0 {
                unread += room[..<n]
                return true
            }
            if n < 0, errno == EINTR { continue }
            return false
        }
    }
}

func setNoDelay(_ socket: Int32) {
    var one: Int32 = 1
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
}

/// Connects to `127.0.0.1:8686`, `[::1]:8686` or `unix:/path`.
func connectedSocket(_ address: String, from source: String? = nil) throws -> Int32 {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    func made(_ family: Int32, _ connect: (Int32) -> Int32) throws -> Int32 {
        let socket = Foundation.socket(family, kind, 0)
        guard socket >= 0, connect(socket) == 0 else {
            let reason = String(cString: strerror(errno))
            close(socket)
            throw Client.Trouble.refused("\(address): \(reason)")
        }
        setNoDelay(socket)
        return socket
    }
    func generic<Address>(_ value: Address, _ socket: Int32) -> Int32 {
        withUnsafePointer(to: value) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }
    if address.hasPrefix("unix:") {
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let path = Array(address.dropFirst(5).utf8.prefix(107))
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path) }
        return try made(AF_UNIX) { generic(name, $0) }
    }
    guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...])
    else {
        throw Failure("not an address: \(address)")
    }
    let host = address[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
    if host.contains(":") {
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = port.bigEndian
        inet_pton(AF_INET6, host, &name.sin6_addr)
        return try made(AF_INET6) { generic(name, $0) }
    }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    inet_pton(AF_INET, host, &name.sin_addr)
    return try made(AF_INET) { socket in
        if let source {
            var mine = sockaddr_in()
            mine.sin_family = sa_family_t(AF_INET)
            inet_pton(AF_INET, source, &mine.sin_addr)
            let size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let bound = withUnsafePointer(to: mine) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, size) }
            }
            if bound != 0 { return bound }
        }
        return generic(name, socket)
    }
}
