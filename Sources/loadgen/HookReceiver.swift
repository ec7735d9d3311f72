private import CLinux
import Foundations
import Glibc

/// The other end of webhooks: answers each post with 200 and notes when it came; those to `/hanging` it may leave
/// without an answer for ever, as a dead receiver does.
final class HookReceiver: @unchecked Sendable {  // owner of all `var`s: its thread, after `init`
    private let listener: Int32
    private let epoll: Int32
    private let times: HookTimes
    private let isHanging: Bool
    private var received: [Int32: [UInt8]] = [:]
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)

    private static let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8)

    init(port: UInt16, hanging isHanging: Bool, times: HookTimes) throws(SystemError) {
        (self.isHanging, self.times) = (isHanging, times)
        listener = try Self.listen(port)
        epoll = try retrying("epoll_create1") { clinux_epoll_create() }
        _ = try retrying("epoll_ctl") {
            clinux_epoll_add(epoll, listener, UInt32(CLINUX_IN), UInt64(listener))
        }
    }

    /// Runs until the process ends.
    func start() { _ = Thread { [self] in while true { turn() } } }

    private func turn() {
        var polled = pollfd(fd: epoll, events: Int16(POLLIN), revents: 0)
        _ = poll(&polled, 1, -1)
        withUnsafeTemporaryAllocation(of: clinux_event.self, capacity: 256) { events in
            let count = clinux_epoll_poll(epoll, events.baseAddress, 256)
            for event in events.prefix(Int(max(count, 0))) {
                let socket = Int32(truncatingIfNeeded: event.data)
                socket == listener ? accept() : read(socket)
            }
        }
    }

    private func accept() {
        var (high, low): (UInt64, UInt64) = (0, 0)
        while true {
            let socket = clinux_accept(listener, &high, &low)
            if socket < 0 { return }
            var on: Int32 = 1
            setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            received[socket] = []
            _ = clinux_epoll_add(epoll, socket, UInt32(CLINUX_IN), UInt64(socket))
        }
    }

    private func read(_ socket: Int32) {
        let n = Glibc.read(socket, &buffer, buffer.count)
        if n < 0, errno == EAGAIN || errno == EINTR { return }
        if n <= 0 {
            received[socket] = nil
            close(socket)
            return
        }
        received[socket, default: []].append(contentsOf: buffer[0..<n])
        while let length = received[socket].flatMap(HookRequest.length) { take(socket, length) }
    }

    /// A whole request has come.
    private func take(_ socket: Int32, _ length: Int) {
        let now = monotonic()
        guard let bytes = received[socket] else { return }
        for mark in HookRequest.marks(bytes.prefix(length)) { times.arrived(mark, at: now) }
        received[socket]?.removeFirst(length)
        if isHanging, bytes.starts(with: "POST /hanging ".utf8) { return }
        _ = write(socket, Self.answer, Self.answer.count)
    }

    private static func listen(_ port: UInt16) throws(SystemError) -> Int32 {
        let socket = try retrying("socket") { Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        var on: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = Answer.local(port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = try retrying("bind to port \(port)") {
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, size) }
            }
        }
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        _ = try retrying("listen") { Glibc.listen(socket, 4096) }
        return socket
    }
}

/// Just enough of a posted request to answer it.
enum HookRequest {
    /// How many bytes the first request has; nil: it is not whole yet.
    static func length(_ bytes: [UInt8]) -> Int? {
        bytes.withUnsafeBytes { bytes in
            guard let end = Answer.find("\r\n\r\n", in: bytes) else { return nil }
            let head = Bytes(rebasing: bytes[..<end])
            guard let field = Answer.find("content-length:", in: head) else { return end + 4 }
            let length = end + 4 + Answer.number(Bytes(rebasing: head[(field + 15)...]))
            return bytes.count >= length ? length : nil
        }
    }

    /// The numbers of the marks in a body, each once.
    static func marks(_ bytes: ArraySlice<UInt8>) -> Set<Int> {
        var (marks, i): (Set<Int>, Int) = ([], bytes.startIndex)
        let (prefix, digits) = (HookTimes.prefix, HookTimes.digits)
        while let start = bytes[i...].firstIndex(of: prefix[0]) {
            i = start + 1
            let number = start + prefix.count
            guard number + digits <= bytes.endIndex, bytes[start..<number].elementsEqual(prefix) else {
                continue
            }
            i = number + digits
            marks.insert(bytes[number..<i].reduce(0) { $0 * 10 + Int($1 &- 48) })
        }
        return marks
    }
}
