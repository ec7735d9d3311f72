import Foundations
import Synchronization

/// The event ids that clients gave lately, each with what it stood for: enough to tell a repeat in the answer, while
/// the database alone decides.
///
/// A fixed table of words under a key of this process, in sets of four; whatever is older falls out. Only what is
/// durable is put in, so a request that failed is never called a duplicate when it comes again.
///
///     word    40 bits of the id's hash · 24 bits of the content's hash       0: empty
///
/// The set is chosen by further bits of the id's hash, so that two ids meet once in some 10^16 pairs. Two contents that
/// meet cost a wrong word in a warning.
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
        hash.hash(id) ^ (source &* 0x9e37_79b9_7f4a_7c15)
    }

    func fingerprint(of source: Bytes) -> UInt64 { hash.hash(source) }

    /// What is known of an id that comes (again) with this content; nil: nothing.
    func find(_ id: RecentID) -> Repeat.Kind? {
        for i in places(of: id) {
            let word = slots[i].load(ordering: .relaxed)
            if word >> Self.contentBits == id.word >> Self.contentBits {
                return word == id.word ? .duplicate : .conflict
            }
        }
        return nil
    }

    /// Keeps what the id stood for first.
    func insert(_ id: RecentID) {
        if find(id) != nil { return }
        // The newest stands first and pushes the others down: the oldest of the set falls out.
        var pushed = id.word
        for i in places(of: id) {
            pushed = slots[i].exchange(pushed, ordering: .relaxed)
            if pushed == 0 { return }
        }
    }

    private func places(of id: RecentID) -> Range<Int> {
        let first = Int(id.fingerprint & mask) * 4
        return first..<first + 4
    }

    fileprivate static let contentBits = 24
}

/// A client's id of an event and what it stands for, as hashes.
struct RecentID: Hashable {
    /// Of the source and the id.
    let fingerprint: UInt64
    /// Of the activity and the properties.
    let content: UInt64

    fileprivate var word: UInt64 {
        let low: UInt64 = 1 << RecentIDs.contentBits - 1
        return max(fingerprint & ~low, low + 1) | content & low
    }
}
