import Dispatch
import Foundations
import Glibc

/// Turns a server's name into addresses without waiting for a name server longer than it may: the system's own
/// look-up (`getaddrinfo`, which libpq would call) can take half a minute and cannot be ended.
enum HostLookup {
    /// Look-ups that go on although nobody waits for them any more are bounded: each holds a thread.
    private static let pending = Locked(0)
    private static let most = 8

    /// The addresses of `host` as text, at least one; nil: there is none, or not in time, or it was interrupted.
    static func addresses(of host: String, until end: UInt64, _ interrupter: Interrupter) -> [String]? {
        guard
            pending.withLock({ count in
                if count >= most { return false }
                count += 1
                return true
            })
        else { return nil }
        let found = Locked<[String]>([])
        let done = DispatchSemaphore(value: 0)
        DispatchQueue.global().async {
            let addresses = resolve(host)
            found.withLock { $0 = addresses }
            pending.withLock { $0 -= 1 }
            done.signal()
        }
        while done.wait(timeout: .now() + .milliseconds(20)) == .timedOut {
            if interrupter.isInterrupted || Clock.system.monotonic() >= end { return nil }
        }
        let addresses = found.withLock { $0 }
        return addresses.isEmpty ? nil : addresses
    }

    private static func resolve(_ host: String) -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var next = list
        while let info = next?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let size = socklen_t(text.count)
            if getnameinfo(info.ai_addr, info.ai_addrlen, &text, size, nil, 0, NI_NUMERICHOST) == 0 {
                addresses.append(
                    String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
            }
            next = info.ai_next
        }
        return addresses
    }
}
