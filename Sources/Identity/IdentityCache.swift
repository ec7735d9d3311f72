import Foundations

/// Whose some identities are, as this server last saw it: a fixed table, the newer of two that meet stays.
///
/// An identity goes from nobody to somebody once and for all; later it moves only when its owner is merged, and
/// then the old owner's id still means the right person. So what it says is never wrong, only sometimes an alias.
struct IdentityCache {
    private struct Slot {
        var key: (UInt64, UInt64) = (0, 0)
        var owner: UUID?
    }

    private static let slots = 1 << 16
    private let first = SipHash()
    private let second = SipHash()
    /// Made with the first that is kept.
    private var table: [Slot] = []

    func owner(_ key: Kinship.Key) -> UUID? {
        if table.isEmpty { return nil }
        let hash = hash(key)
        let slot = table[Int(hash.0 % UInt64(Self.slots))]
        return slot.key == hash ? slot.owner : nil
    }

    mutating func store(_ key: Kinship.Key, _ owner: UUID) {
        if table.isEmpty { table = Array(repeating: Slot(), count: Self.slots) }
        let hash = hash(key)
        table[Int(hash.0 % UInt64(Self.slots))] = Slot(key: hash, owner: owner)
    }

    private func hash(_ key: Kinship.Key) -> (UInt64, UInt64) {
        key.value.withUnsafeBytes { bytes in
            let salt = UInt64(truncatingIfNeeded: key.kind) &* 0x9e37_79b9_7f4a_7c15
            return (first.hash(bytes) ^ salt, second.hash(bytes) ^ salt)
        }
    }
}
