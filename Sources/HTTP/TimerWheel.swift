/// When to look at which connection again, to a tenth of a second: pure, without a clock of its own.
///
/// A circle of slots, each a doubly linked list of entries; times are milliseconds of any clock that does not go
/// back. What lies beyond the circle is put into its last slot, and comes out early: the owner compares with the
/// deadline that it keeps and puts it back. An entry stands in at most one slot; moving it costs no allocation.
struct TimerWheel {
    static let tick: UInt64 = 100
    private static let slots = 512

    private struct Entry {
        var previous: Int32 = -1
        var next: Int32 = -1
        /// Of the tick, not of the slot; nil: in no list.
        var due: UInt64?
    }

    private var heads = [Int32](repeating: -1, count: TimerWheel.slots)
    private var entries: [Entry] = []
    /// The tick up to which everything came out.
    private var current: UInt64

    init(now: UInt64) { current = now / Self.tick }

    /// Makes sure that the entry comes out at the deadline or before. One that comes out earlier anyway stays.
    mutating func set(_ entry: Int, deadline: UInt64) {
        while entries.count <= entry { entries.append(Entry()) }
        let wanted = max(deadline / Self.tick + 1, current + 1)
        let due = min(wanted, current + UInt64(Self.slots) - 1)
        if let earlier = entries[entry].due {
            if earlier <= due { return }
            unlink(entry)
        }
        let slot = Int(due % UInt64(Self.slots))
        let next = heads[slot]
        entries[entry] = Entry(previous: -1, next: next, due: due)
        if next >= 0 { entries[Int(next)].previous = Int32(entry) }
        heads[slot] = Int32(entry)
    }

    mutating func remove(_ entry: Int) {
        if entry < entries.count, entries[entry].due != nil { unlink(entry) }
    }

    /// Takes out everything that is due and appends it to `out`.
    mutating func advance(to now: UInt64, into out: inout [Int]) {
        let goal = now / Self.tick
        guard goal > current else { return }
        // After a long pause one round is enough: it meets every slot.
        var tick = goal - current > UInt64(Self.slots) ? goal - UInt64(Self.slots) + 1 : current + 1
        while tick <= goal {
            let slot = Int(tick % UInt64(Self.slots))
            while heads[slot] >= 0 {
                out.append(Int(heads[slot]))
                unlink(Int(heads[slot]))
            }
            tick += 1
        }
        current = goal
    }

    private mutating func unlink(_ entry: Int) {
        let old = entries[entry]
        if old.previous >= 0 {
            entries[Int(old.previous)].next = old.next
        } else if let due = old.due {
            heads[Int(due % UInt64(Self.slots))] = old.next
        }
        if old.next >= 0 { entries[Int(old.next)].previous = old.previous }
        entries[entry] = Entry()
    }
}
