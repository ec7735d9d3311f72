import Foundation

/// An HTTP server that a test drives: it notes what comes and answers as it is told, also badly.
package final class Receiver: @unchecked Sendable {  // `state` is owned by whoever holds `lock`
    package struct Call: Sendable {
        package var method: String
        package var target: String
        package var headers: [(name: String, value: String)]
        package var body: [UInt8]
        /// When it was there as a whole (`Moment`).
        package var at: Double
        package var text: String { String(decoding: body, as: UTF8.self) }
        package func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    package enum Answer: Sendable {
        case status(Int, headers: [String] = [], body: String = "ok")
        /// Closes the connection without a word.
        case hangUp
        /// Never answers.
        case silence
        /// These bytes, and then the end.
        case raw(String)
    }

    private struct State {
        var calls: [Call] = []
        var count = 0
        var connections = 0
        var sockets: Set<Int32> = []
        var isClosed = false
    }

    private let lock = NSLock()
    private var state = State()
    private let listener: Int32
    package let port: Int
    private let keepsCalls: Bool
    private let answer: @Sendable (Call) -> Answer

    /// Listens on every IPv4 address, so that `127.0.0.2` is another one of it.
    ///
    /// - Parameter keepsCalls: False: they are only counted.
    package init(
        port: Int = 0, keepsCalls: Bool = true,
        _ answer: @escaping @Sendable (Call) -> Answer = { _ in .status(200) }
    ) throws {
        self.answer = answer
        self.keepsCalls = keepsCalls
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(port).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let code = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name -> Int32 in
                guard bind(listener, name, size) == 0, listen(listener, 1024) == 0 else { return -1 }
                return getsockname(listener, name, &size)
            }
        }
        guard code == 0 else { throw Failure("receiver: \(String(cString: strerror(errno)))") }
        self.port = Int(UInt16(bigEndian: name.sin_port))
        Thread { self.accept() }.start()
    }

    package var url: String { "http://127.0.0.1:\(port)/hook" }
    package var calls: [Call] { lock.withLock { state.calls } }
    package var count: Int { lock.withLock { state.count } }
    package var connections: Int { lock.withLock { state.connections } }

    package func clear() {
        lock.withLock {
            state.calls = []
            state.count = 0
        }
    }

    /// Waits until so many calls came.
    @discardableResult
    package func await(_ count: Int, within seconds: Double = 60) throws -> [Call] {
        try eventually("\(count) calls (there are \(self.count))", within: seconds, every: 0.002) {
            self.count >= count
        }
        return calls
    }

    /// Nobody listens any more, and connections are cut.
    package func close() {
        let sockets = lock.withLock {
            if state.isClosed { return Set<Int32>() }
            state.isClosed = true
            shutdown(listener, Int32(SHUT_RDWR))
            return state.sockets
        }
        for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        _ = try? eventually("closed", within: 2) { () -> Bool in lock.withLock { state.sockets.isEmpty } }
    }

    private func accept() {
        while true {
            let socket = Foundation.accept(listener, nil, nil)
            if socket < 0 {
                if errno == EINTR || errno == ECONNABORTED { continue }
                Foundation.close(listener)
                return
            }
            let isOpen = lock.withLock {
                state.connections += 1
                if !state.isClosed { state.sockets.insert(socket) }
                return !state.isClosed
            }
            guard isOpen else {
                Foundation.close(socket)
                continue
            }
            var one: Int32 = 1
            setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
            let thread = Thread {
                self.serve(socket)
                self.lock.withLock { _ = self.state.sockets.remove(socket) }
                Foundation.close(socket)
            }
            thread.stackSize = 256 << 10
            thread.start()
        }
    }

    private func serve(_ socket: Int32) {
        var unread: [UInt8] = []
        while true {
            guard let call = next(socket, &unread) else { return }
            lock.withLock {
                state.count += 1
                if keepsCalls { state.calls.append(call) }
            }
            switch answer(call) {
            case .status(let status, let headers, let body):
                let lines = headers.map { "\($0)\r\n" }.joined()
                let text =
                    "HTTP/1.1 \(status) Status\r\nContent-Length: \(body.utf8.count)\r\n\(lines)\r\n\(body)"
                guard put(socket, text) else { return }
            case .raw(let text):
                _ = put(socket, text)
                return
            case .hangUp: return
            case .silence:
                var room = [UInt8](repeating: 0, count: 4096)
                while recv(socket, &room, room.count, 0) > 0 {}
                return
            }
        }
    }

    private func put(_ socket: Int32, _ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let n = bytes[sent...].withUnsafeBytes {
                send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if n <= 0 { return false }
            sent += n
        }
        return true
    }

    /// Reads one request with a `Content-Length`; nil at the end.
    private func next(_ socket: Int32, _ unread: inout [UInt8]) -> Call? {
        var room = [UInt8](repeating: 0, count: 65536)
        func more() -> Bool {
            let n = recv(socket, &room, room.count, 0)
            if n > 0 { unread += room[..<n] }
            return n > 0
        }
        var end = Self.endOfHead(unread)
        while end == nil {
            guard more() else { return nil }
            end = Self.endOfHead(unread)
        }
        guard let end else { return nil }
        let lines = String(decoding: unread[..<end], as: UTF8.self).components(separatedBy: "\r\n")
        let first = lines[0].split(separator: " ").map(String.init)
        let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (
                String(line[..<colon]), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            )
        }
        let length = headers.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) } ?? 0
        while unread.count < end + length { guard more() else { return nil } }
        let body = Array(unread[end..<end + length])
        unread.removeFirst(end + length)
        return Call(method: first[0], target: first[1], headers: headers, body: body, at: Moment.now)
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for i in 3..<bytes.count
        where bytes[i] == 10 && bytes[i - 1] == 13 && bytes[i - 2] == 10 && bytes[i - 3] == 13 {
            return i + 1
        }
        return nil
    }
}
