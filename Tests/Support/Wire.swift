import Foundation

/// A stretch of network between two programs, which may be cut in the middle of whatever is on its way.
///
/// It listens on a port of its own and passes bytes on, both ways, to wherever its target is now. To be cut means a
/// reset on both sides, at any byte.
package final class Wire: @unchecked Sendable {  // `links` and `epoch` are owned by whoever holds `lock`
    package let port: Int
    private let listener: Int32
    private let target: @Sendable () -> String?
    private let lock = NSLock()
    /// Raised by each cut: a link of an older one ends.
    private var epoch = 0
    private var isStalled = false
    private var passed = 0

    /// - Parameter target: Where to connect to, asked for each connection: `127.0.0.1:8686` or `unix:/path`.
    package init(to target: @escaping @Sendable () -> String?) throws {
        self.target = target
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let code = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name -> Int32 in
                guard bind(listener, name, size) == 0, listen(listener, 256) == 0 else { return -1 }
                return getsockname(listener, name, &size)
            }
        }
        guard code == 0 else { throw Failure("wire: \(String(cString: strerror(errno)))") }
        port = Int(UInt16(bigEndian: name.sin_port))
        Thread { [self] in accept() }.start()
    }

    package var address: String { "127.0.0.1:\(port)" }

    /// How many bytes went through, both ways.
    package var bytes: Int { lock.withLock { passed } }

    /// Resets all connections that there are now.
    package func cut() { lock.withLock { epoch += 1 } }

    /// Nothing goes through any more, and nobody is told, until `flow`.
    package func stall() { lock.withLock { isStalled = true } }
    package func flow() { lock.withLock { isStalled = false } }

    private func accept() {
        while true {
            let near = Foundation.accept(listener, nil, nil)
            guard near >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                return
            }
            let born = lock.withLock { epoch }
            let thread = Thread { [self] in
                guard let address = target(), let far = try? connectedSocket(address) else {
                    return close(near)
                }
                setNoDelay(near)
                carry(near, far, born)
            }
            thread.stackSize = 512 << 10
            thread.start()
        }
    }

    private func close(_ socket: Int32) {
        // Whatever is on its way is lost, and the other side learns it by a reset.
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        Foundation.close(socket)
    }

    /// Passes bytes on until a side ends or the wire is cut.
    private func carry(_ near: Int32, _ far: Int32, _ born: Int) {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
        defer { room.deallocate() }
        var sides = [
            pollfd(fd: near, events: Int16(POLLIN), revents: 0),
            pollfd(fd: far, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let (isCut, waits) = lock.withLock { (epoch != born, isStalled) }
            if isCut { break }
            if waits {
                pause(0.01)
                continue
            }
            guard poll(&sides, 2, 20) > 0 else { continue }
            var isOver = false
            for (from, to) in [(0, 1), (1, 0)] where sides[from].revents != 0 {
                let n = recv(sides[from].fd, room.baseAddress, room.count, Int32(MSG_DONTWAIT))
                if n < 0, errno == EAGAIN || errno == EINTR { continue }
                if n <= 0 || !put(room, n, to: sides[to].fd, born) { isOver = true }
            }
            if isOver { break }
        }
        close(near)
        close(far)
    }

    private func put(_ bytes: UnsafeMutableRawBufferPointer, _ count: Int, to socket: Int32, _ born: Int)
        -> Bool
    {
        var sent = 0
        while sent < count {
            if lock.withLock({ epoch != born }) { return false }
            let n = send(
                socket, bytes.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            if n > 0 {
                sent += n
            } else if errno == EAGAIN || errno == EINTR {
                var side = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
                poll(&side, 1, 20)
            } else {
                return false
            }
        }
        lock.withLock { passed += count }
        return true
    }
}
