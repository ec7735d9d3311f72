private import Crypto
import Foundations

/// Makes profile ids that certify themselves, and tells whether an id was made under the installation's secret.
///
/// A new profile's id is a UUID of version 8: 80 bits of an HMAC over the session's id, then 42 bits of an HMAC
/// over those 80 (six bits are the version's and the variant's). So two servers, two requests at once or a
/// replay arrive at the same id without talking, and any server can tell that an id was issued before any row
/// of it exists.
///
///     high  48 bits of the first HMAC · 8 · 12 more bits
///     low   10 · 20 more bits · 42 bits of the second HMAC
package struct Issuer: Sendable {
    private let derivation: SymmetricKey
    private let certification: SymmetricKey
    private let creation: SymmetricKey

    /// `secret`: at least 32 random bytes, one for each installation.
    package init(secret: [UInt8]) {
        precondition(secret.count >= 32)
        let master = SymmetricKey(data: secret)
        derivation = Self.key("waymark profile of a session", under: master)
        certification = Self.key("waymark certificate", under: master)
        creation = Self.key("waymark profile of an identity", under: master)
    }

    private static func key(_ purpose: String, under master: SymmetricKey) -> SymmetricKey {
        SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(purpose.utf8), using: master))
    }

    /// The id of the profile that begins with this session.
    package func profile(forSession id: Bytes) -> UUID {
        let code = HMAC<SHA256>.authenticationCode(for: id, using: derivation)
        let (a, b) = code.withUnsafeBytes { Self.words($0) }
        return certified(high: a & ~0xffff | 0x8000 | a >> 4 & 0xfff, twenty: b >> 44)
    }

    /// The id of a profile that begins with an identity, for somebody of whom nothing else is known.
    package func profile(forIdentity kind: String, _ value: [UInt8]) -> UUID {
        var hmac = HMAC<SHA256>(key: creation)
        hmac.update(data: Array(kind.utf8) + [0] + value)
        let (a, b) = hmac.finalize().withUnsafeBytes { Self.words($0) }
        return certified(high: a & ~0xffff | 0x8000 | a >> 4 & 0xfff, twenty: b >> 44)
    }

    /// Was this id made here (or on another server of this installation)?
    package func issued(_ id: UUID) -> Bool {
        guard id.version == 8, id.low >> 62 == 0b10 else { return false }
        return certified(high: id.high, twenty: id.low >> 42 & 0xf_ffff) == id
    }

    private func certified(high: UInt64, twenty: UInt64) -> UUID {
        var message = (high.bigEndian, twenty.bigEndian)
        let code = withUnsafeBytes(of: &message) {
            HMAC<SHA256>.authenticationCode(for: $0, using: certification)
        }
        let tag = code.withUnsafeBytes { Self.words($0).0 } >> 22
        return UUID(high: high, low: 1 << 63 | twenty << 42 | tag)
    }

    /// The id under which a source with static profile ids keeps what it sent: a UUID as it is, else a UUID of
    /// version 5.
    package static func fixed(_ sent: Bytes) -> UUID {
        if let id = UUID(sent) { return id }
        var hash = Insecure.SHA1()
        hash.update(bufferPointer: UnsafeRawBufferPointer(start: staticNamespace.utf8Start, count: 16))
        hash.update(bufferPointer: sent)
        let (a, b) = hash.finalize().withUnsafeBytes { words($0) }
        return UUID(a, b, version: 5)
    }

    /// The namespace of these version 5 ids; fixed for ever.
    private static let staticNamespace: StaticString = "waymark.static.1"

    private static func words(_ digest: UnsafeRawBufferPointer) -> (UInt64, UInt64) {
        (
            UInt64(bigEndian: digest.loadUnaligned(as: UInt64.self)),
            UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
    }
}

/// The bucket, 0 ..< 4096, of what is found by a text: the last 12 bits of its MD5. In SQL: `bucket_of(text)`.
package func bucket(of text: Bytes) -> Int32 {
    Insecure.MD5.hash(data: text).withUnsafeBytes { digest in
        Int32(digest[14] & 0xf) << 8 | Int32(digest[15])
    }
}

/// What makes a client's event id unique: the first 16 bytes of SHA-256 over source, a zero byte and the id.
package func eventKey(source: Bytes, clientID: Bytes) -> UUID {
    var hash = SHA256()
    hash.update(bufferPointer: source)
    withUnsafeBytes(of: UInt8(0)) { hash.update(bufferPointer: $0) }
    hash.update(bufferPointer: clientID)
    return hash.finalize().withUnsafeBytes { digest in
        UUID(
            high: UInt64(bigEndian: digest.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}
