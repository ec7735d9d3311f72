import Foundations
import Synchronization

/// The event ids that clients gave lately: enough to tell a repeat in the answer, while the database alone decides.
///
/// A fixed table of 64-bit fingerprints under a key of this process, in sets of four; whatever is older falls out.
/// Only what is durable is put in, so a request that failed is never called a duplicate when it comes again.
final class RecentIDs: @unchecked Sendable {  // `slots` are atomics; nobody owns them
    private let hash = SipHash()
    private let mask: UInt64
    private let slots: UnsafeMutablePointer<Atomic<UInt64>>
    private let capacity: Int

    /// `capacity` is rounded up to a power of two.
    init(capacity: Int = 131_072) {
        var size = 8
        while size < capacity { size *= 2 }
        self.capacity = size
        mask = UInt64(size / 4 - 1)
        slots = .allocate(capacity: size)
        for i in 0..<size { (slots + i).initialize(to: Atomic(0)) }
    }

    deinit {
        slots.deinitialize(count: capacity)
        slots.deallocate()
    }

    /// What stands for an id of a source. `source` is what `fingerprint(of:)` says of it.
    func fingerprint(source: UInt64, id: Bytes) -> UInt64 {
        // Both hashes are keyed, so folding them costs no more collisions than one of them.
        max(hash.hash(id) ^ (source &* 0x9e37_79b9_7f4a_7c15), 1)
    }

    func fingerprint(of source: Bytes) -> UInt64 { hash.hash(source) }

    func contains(_ fingerprint: UInt64) -> Bool {
        let first = Int(fingerprint & mask) * 4
        for i in first..<first + 4 where slots[i].load(ordering: .relaxed) == fingerprint { return true }
        return false
    }

    func insert(_ fingerprint: UInt64) {
        if contains(fingerprint) { return }
        let first = Int(fingerprint & mask) * 4
        // The newest stands first and pushes the others down: the oldest of the set falls out.
        var pushed = fingerprint
        for i in first..<first + 4 {
            pushed = slots[i].exchange(pushed, ordering: .relaxed)
            if pushed == 0 { return }
        }
    }
}
