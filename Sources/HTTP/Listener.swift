internal import Foundations
import Glibc

/// A socket that connections come in at. Closing it removes the file of a Unix socket.
final class Listener: Sendable {
    let socket: Int32
    /// As an operator would write it.
    let text: String
    private let path: String?

    private init(socket: Int32, text: String, path: String? = nil) {
        self.socket = socket
        self.text = text
        self.path = path
    }

    deinit {
        closeSocket(socket)
        if let path { unlink(path) }
    }

    /// Lets nobody in any more. The socket itself is closed when Dispatch has let go of it.
    func stop() { shutdown(socket, Int32(SHUT_RDWR)) }

    /// Opens what a configuration names; a host name may stand for several addresses.
    static func open(_ address: Configuration.ListenAddress) throws(SystemError) -> [Listener] {
        switch address {
        case .unix(let path): return [try openUnix(path)]
        case .tcp("*", let port): return [try openAny(port)]
        case .tcp(let host, let port): return try openNamed(host, port)
        }
    }

    /// `localhost` is often `::1` as well, also where there is no IPv6: one address that can be had is enough.
    private static func openNamed(_ host: String, _ port: UInt16) throws(SystemError) -> [Listener] {
        var listeners: [Listener] = []
        var failure: SystemError?
        for address in try SocketAddress.resolve(host: host, port: port) {
            do {
                listeners.append(try openTCP(address, "\(host):\(port)"))
            } catch {
                guard isMissing(error) else { throw error }
                failure = error
            }
        }
        if listeners.isEmpty, let failure { throw failure }
        return listeners
    }

    private static func isMissing(_ error: SystemError) -> Bool {
        error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL
    }

    private static func openAny(_ port: UInt16) throws(SystemError) -> Listener {
        do {
            return try openTCP(SocketAddress(anyOf: AF_INET6, port: port), "*:\(port)", both: true)
        } catch {
            // A kernel without IPv6.
            guard isMissing(error) else { throw error }
            return try openTCP(SocketAddress(anyOf: AF_INET, port: port), "*:\(port)")
        }
    }

    private static func openTCP(
        _ address: SocketAddress, _ subject: String, both: Bool = false
    ) throws(SystemError) -> Listener {
        let descriptor = try make(address.family, subject)
        try set(descriptor.raw, SOL_SOCKET, SO_REUSEADDR, 1, subject)
        // Accepted sockets inherit it: an answer is one write, it must not wait for the last one's receipt.
        try set(descriptor.raw, Int32(IPPROTO_TCP), TCP_NODELAY, 1, subject)
        if address.family == AF_INET6 {
            try set(descriptor.raw, Int32(IPPROTO_IPV6), IPV6_V6ONLY, both ? 0 : 1, subject)
        }
        try bindAndListen(descriptor.raw, address, subject)
        let text = SocketAddress.text(ofBound: descriptor.raw)
        return Listener(socket: descriptor.release(), text: text)
    }

    private static func openUnix(_ path: String) throws(SystemError) -> Listener {
        guard let address = SocketAddress(unix: path) else {
            throw SystemError(code: ENAMETOOLONG, "bind", path)
        }
        try removeStale(path, address)
        let descriptor = try make(AF_UNIX, path)
        try bindAndListen(descriptor.raw, address, path)
        // As for TCP: whoever reaches the socket may send. A folder's mode can restrict that.
        try retrying("chmod", path) { chmod(path, 0o666) }
        return Listener(socket: descriptor.release(), text: "unix:\(path)", path: path)
    }

    /// Removes the socket file of a server that is gone; one that still answers is left alone.
    private static func removeStale(_ path: String, _ address: SocketAddress) throws(SystemError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw SystemError(code: EEXIST, "bind", path) }
        let probe = try make(AF_UNIX, path)
        let code = address.withPointer { connect(probe.raw, $0, $1) }
        guard code != 0, errno == ECONNREFUSED else { throw SystemError(code: EADDRINUSE, "bind", path) }
        try retrying("unlink", path) { unlink(path) }
    }

    private static func make(_ family: Int32, _ subject: String) throws(SystemError) -> FileDescriptor {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        return FileDescriptor(try retrying("socket", subject) { Glibc.socket(family, type, 0) })
    }

    private static func set(
        _ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32, _ subject: String
    ) throws(SystemError) {
        try retrying("setsockopt", subject) {
            withUnsafePointer(to: value) { setsockopt(socket, level, option, $0, 4) }
        }
    }

    private static func bindAndListen(
        _ socket: Int32, _ address: SocketAddress, _ subject: String
    ) throws(SystemError) {
        try retrying("bind", subject) { address.withPointer { bind(socket, $0, $1) } }
        try retrying("listen", subject) { listen(socket, 4096) }
    }
}
