internal import Foundations
import Glibc

/// An address to listen on, as the kernel wants it, and as text.
struct SocketAddress {
    var storage = sockaddr_storage()
    var size: socklen_t

    var family: Int32 { Int32(storage.ss_family) }

    init(_ address: UnsafePointer<sockaddr>, size: socklen_t) {
        self.size = min(size, socklen_t(MemoryLayout<sockaddr_storage>.size))
        let bytes = UnsafeRawBufferPointer(start: address, count: Int(self.size))
        withUnsafeMutableBytes(of: &storage) { $0.copyMemory(from: bytes) }
    }

    /// Every address of this machine: IPv6, which takes IPv4 as well, or IPv4 alone.
    init(anyOf family: Int32, port: UInt16) {
        if family == AF_INET6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            size = socklen_t(MemoryLayout<sockaddr_in6>.size)
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: sockaddr_in6.self) }
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            size = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: sockaddr_in.self) }
        }
    }

    /// A path of the file system; nil when it is too long for a socket (107 bytes).
    init?(unix path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room, !path.isEmpty else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: sockaddr_un.self) }
    }

    /// What a name or a literal stands for.
    static func resolve(host: String, port: UInt16) throws(SystemError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            throw SystemError(code: code == EAI_SYSTEM ? errno : ENXIO, "getaddrinfo", host)
        }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let pointer = entry.ai_addr {
                let address = SocketAddress(pointer, size: entry.ai_addrlen)
                if !found.contains(where: address.isSame) { found.append(address) }
            }
            next = entry.ai_next
        }
        return found
    }

    private func isSame(as other: SocketAddress) -> Bool {
        withUnsafeBytes(of: storage) { mine in withUnsafeBytes(of: other.storage) { mine.elementsEqual($0) } }
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
        }
    }

    /// `127.0.0.1:8686` or `[::1]:8686`, with the port that a bound socket has.
    static func text(ofBound socket: Int32) -> String {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &size) }
        }
        return withUnsafeBytes(of: storage) { bytes in
            if Int32(storage.ss_family) == AF_INET6 {
                let address = bytes.loadUnaligned(as: sockaddr_in6.self)
                let ip = withUnsafeBytes(of: address.sin6_addr) { words in
                    IPAddress(
                        high: UInt64(bigEndian: words.loadUnaligned(as: UInt64.self)),
                        low: UInt64(bigEndian: words.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
                }
                return "[\(ip)]:\(UInt16(bigEndian: address.sin6_port))"
            }
            let address = bytes.loadUnaligned(as: sockaddr_in.self)
            return
                "\(IPAddress(v4: UInt32(bigEndian: address.sin_addr.s_addr))):\(UInt16(bigEndian: address.sin_port))"
        }
    }
}
