import Foundations

/// The latest events of an activity, in a ring: to see what is missing from them.
struct RecentEvents: Sendable {
    struct Event: Sendable {
        let key: EventKey
        /// Halves of the hashes under which source and client stand in the summary's tables.
        let source: UInt32
        let client: UInt32
    }

    private var ring: [Event] = []
    /// Where the oldest one is.
    private var head = 0
    /// How many came after all others: by so much what is known of parameters must be moved on.
    private(set) var moves: UInt64 = 0
    private let limit: Int

    init(limit: Int) { self.limit = min(limit, PresenceMask.bits) }

    var count: Int { ring.count }

    /// The latest event has the rank 0.
    subscript(_ rank: Int) -> Event { ring[slot(rank)] }

    @inline(__always) private func slot(_ rank: Int) -> Int {
        let at = head + ring.count - 1 - rank
        return at < ring.count ? at : at - ring.count
    }

    /// The rank that the event gets; nil: it is too old. With a rank above 0, whoever keeps something of each event
    /// must make room there.
    mutating func insert(_ event: Event) -> Int? {
        if ring.count == limit, event.key < self[limit - 1].key { return nil }
        var rank = 0
        while rank < ring.count, event.key < self[rank].key { rank += 1 }
        if rank == 0 { moves += 1 }
        guard ring.count == limit else {
            ring.insert(event, at: ring.count - rank)
            return rank
        }
        // The oldest one's place becomes the latest one's; what is newer than the event moves there.
        ring[head] = event
        head = head + 1 == limit ? 0 : head + 1
        for i in 0..<rank { ring.swapAt(slot(i), slot(i + 1)) }
        return rank
    }

    /// Merges another list; which ranks both lists' events have now, -1 for those that are out.
    mutating func merge(_ other: RecentEvents) -> (mine: [Int], theirs: [Int]) {
        var mine = [Int](repeating: -1, count: count)
        var theirs = [Int](repeating: -1, count: other.count)
        var merged: [Event] = []
        var (i, j) = (0, 0)
        while merged.count < limit, i < count || j < other.count {
            let takesMine = j == other.count || i < count && !(self[i].key < other[j].key)
            if takesMine {
                mine[i] = merged.count
                merged.append(self[i])
                i += 1
            } else {
                theirs[j] = merged.count
                merged.append(other[j])
                j += 1
            }
        }
        ring = merged.reversed()
        head = 0
        moves = 0
        return (mine, theirs)
    }

    // MARK: - Bytes

    func encode(to buffer: inout ByteBuffer) {
        buffer.append(varint: count)
        for rank in 0..<count {
            buffer.append(self[rank].key)
            buffer.append(little: self[rank].source)
            buffer.append(little: self[rank].client)
        }
    }

    init(_ reader: inout ByteReader, limit: Int) throws(SummaryError) {
        self.init(limit: limit)
        for _ in 0..<(try reader.varint()) {
            ring.append(Event(key: try reader.key(), source: try reader.half(), client: try reader.half()))
        }
        if ring.count > self.limit { ring.removeLast(ring.count - self.limit) }
        ring.reverse()
    }
}
