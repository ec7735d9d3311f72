import Foundations
import Glibc

/// The address that a socket is to connect to, and whether the socket is of IPv6.
struct SocketName {
    let address: IPAddress
    let isV6: Bool

    /// Reads a `sockaddr`; nil for other families than IPv4 and IPv6.
    init?(_ bytes: Slice<UnsafeRawBufferPointer>) {
        guard bytes.count >= MemoryLayout<sockaddr_in>.size else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: bytes)
        switch Int32(bytes.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET:
            address = IPAddress(
                v4: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
            isV6 = false
        case AF_INET6:
            guard bytes.count >= MemoryLayout<sockaddr_in6>.size else { return nil }
            address = IPAddress(
                high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)))
            isV6 = true
        default: return nil
        }
    }

    /// Reads what libcurl says it is connected to: a literal address, perhaps with a zone.
    init?(_ text: String) {
        guard let address = IPAddress(String(text.prefix { $0 != "%" })) else { return nil }
        self.address = address
        isV6 = text.contains(":")
    }
}
