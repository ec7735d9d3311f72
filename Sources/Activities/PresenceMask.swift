/// In which of an activity's latest events a parameter was, the latest first: 256 bits.
struct PresenceMask: Hashable, Sendable {
    static let bits = 256

    private(set) var low: UInt128 = 0
    private(set) var high: UInt128 = 0

    var isEmpty: Bool { low == 0 && high == 0 }

    subscript(_ rank: Int) -> Bool {
        rank < 128 ? low >> UInt128(rank) & 1 != 0 : high >> UInt128(rank - 128) & 1 != 0
    }

    @inline(__always) mutating func set(_ rank: Int) {
        if rank < 128 { low |= 1 << UInt128(rank) } else { high |= 1 << UInt128(rank - 128) }
    }

    /// So many newer events came, of at most `count` that are remembered.
    @inline(__always) mutating func shift(by events: UInt64, keeping count: Int) {
        guard events > 0 else { return }
        let events = Int(min(events, UInt64(Self.bits)))
        high = events < 128 ? high << events | low >> (128 - events) : low << (events - 128)
        low = low << events
        cut(to: count)
    }

    /// Another event came between those of which it is known, at that rank; it was not there.
    mutating func insertGap(at rank: Int, keeping count: Int) {
        let carried = low >> 127
        if rank < 128 {
            let newer = low & Self.ones(rank)
            high = high << 1 | carried
            low = newer | (low & ~Self.ones(rank)) << 1
        } else {
            let newer = high & Self.ones(rank - 128)
            high = newer | (high & ~Self.ones(rank - 128)) << 1
        }
        cut(to: count)
    }

    private static func ones(_ count: Int) -> UInt128 { count >= 128 ? .max : (1 << UInt128(count)) - 1 }

    mutating func cut(to count: Int) {
        low &= Self.ones(count)
        high &= Self.ones(max(count - 128, 0))
    }

    mutating func formUnion(_ other: PresenceMask) {
        low |= other.low
        high |= other.high
    }

    /// The same events at the ranks that they have in another list; -1: they are not in it.
    func moved(to ranks: [Int]) -> PresenceMask {
        var moved = PresenceMask()
        if isEmpty { return moved }
        for rank in 0..<ranks.count where ranks[rank] >= 0 && self[rank] { moved.set(ranks[rank]) }
        return moved
    }

    var count: Int { low.nonzeroBitCount + high.nonzeroBitCount }
    /// The latest event with it; nil if there is none.
    var latest: Int? {
        if low != 0 { return low.trailingZeroBitCount }
        return high != 0 ? 128 + high.trailingZeroBitCount : nil
    }

    init() {}

    init(words: [UInt64]) {
        let word = { (i: Int) in i < words.count ? UInt128(words[i]) : 0 }
        low = word(0) | word(1) << 64
        high = word(2) | word(3) << 64
    }

    /// Without zeros at the end.
    var words: [UInt64] {
        var words = [low, low >> 64, high, high >> 64].map { UInt64(truncatingIfNeeded: $0) }
        while words.last == 0 { words.removeLast() }
        return words
    }
}
