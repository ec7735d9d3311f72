/// A set of hashes, for one object's keys at a time: few are compared one by one, many go into a table.
///
/// Where a hash lies in the table depends on a number drawn for each process, so that a client cannot
/// choose keys that all meet in one place.
struct KeySet: ~Copyable {
    private var slots: UnsafeMutablePointer<UInt64>
    private var capacity = 32
    private var mask = 0
    private var count = 0
    private static let secret = UInt64.random(in: .min ... .max) | 1
    /// Up to this many, comparing is quicker.
    private static let few = 16

    init() { slots = .allocate(capacity: capacity) }
    deinit { slots.deallocate() }

    /// Empties the set and makes room for that many hashes.
    mutating func empty(for most: Int) {
        count = 0
        mask = 0
        guard most > Self.few else { return }
        let size = 1 << (Int.bitWidth - (2 * most - 1).leadingZeroBitCount)
        if size > capacity { resize(to: size) }
        slots.update(repeating: 0, count: size)
        mask = size - 1
    }

    /// False: it is there already.
    mutating func insert(_ hash: UInt64) -> Bool {
        let hash = hash == 0 ? 1 : hash
        var at = 0
        if mask == 0 {
            while at < count, slots[at] != hash { at += 1 }
            guard at == count else { return false }
            count += 1
        } else {
            at =
                Int(truncatingIfNeeded: (hash &* Self.secret).multipliedFullWidth(by: Self.secret).high)
                & mask
            while slots[at] != 0, slots[at] != hash { at = (at + 1) & mask }
            guard slots[at] == 0 else { return false }
        }
        slots[at] = hash
        return true
    }

    mutating func giveBack(above most: Int) {
        if capacity > most { resize(to: 32) }
    }

    private mutating func resize(to size: Int) {
        slots.deallocate()
        slots = .allocate(capacity: size)
        capacity = size
    }
}
