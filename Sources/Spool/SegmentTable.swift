import Foundations

/// A segment of the log, as it is known in memory.
struct Segment: Equatable, Sendable {
    let number: UInt32
    let format: SegmentFormat
    let previousEnd: Position
    /// The latest arrival time before its first record.
    let latest: Timestamp
    let isRaw: Bool
    /// What the file takes on disk.
    var bytes: Int
    /// Where its last durable record ends; nil while it is written.
    var end: UInt32?
    /// Did a write or sync fail on it? Its blocks are not used again.
    var isSuspect = false
    /// When the loader was done with it, in nanoseconds of the monotonic clock.
    var releasedAt: UInt64?

    /// The one name of a place in it.
    func position(at offset: UInt32) -> Position {
        offset <= SegmentHeader.bytes ? previousEnd : Position(segment: number, offset: offset)
    }
}

/// Which segments there are, oldest first. A value: the rules of the log without its files.
struct SegmentTable: Sendable {
    /// Each one's `previousEnd` is the end of the one before.
    var segments: [Segment] = []
    /// Files that hold no record of the log: to be removed, now that a newer segment says so.
    var orphans: [Segment] = []
    var spare: Spare?
    /// What the spare that is being made takes on disk.
    var preparing = 0
    /// Up to where the loader is done; nil: it has not said yet.
    var released: Position?
    /// Up to where a second reader is done, who follows the loader; nil: there is none.
    var held: Position?
    /// The next number for the name of a spare.
    var serial = 1

    /// A file that can become the next segment at once.
    struct Spare: Sendable {
        var file: SegmentFile
        var path: String
        var bytes: Int
    }

    /// Where reading goes on: at `offset` of `segments[index]`.
    struct Place: Equatable {
        var index: Int
        var offset: UInt32
    }

    var bytes: Int {
        var sum = preparing + (spare?.bytes ?? 0)
        for segment in segments { sum += segment.bytes }
        for segment in orphans { sum += segment.bytes }
        return sum
    }

    /// The beginning of the oldest segment.
    func oldest(_ durable: Position) -> Position { segments.first?.previousEnd ?? durable }

    func index(of number: UInt32) -> Int? {
        // Sorted, but short: the newest are asked for most.
        segments.lastIndex { $0.number == number }
    }

    /// Up to where a segment may be read.
    func limit(_ index: Int, _ durable: Position) -> UInt32 {
        let segment = segments[index]
        if let end = segment.end { return end }
        return durable.segment == segment.number ? durable.offset : SegmentHeader.bytes
    }

    /// Where a position lies; nil when the spool does not hold what follows it.
    func locate(_ position: Position, _ durable: Position) -> Place? {
        if let index = index(of: position.segment) {
            guard position.offset >= SegmentHeader.bytes, position.offset <= limit(index, durable) else {
                return nil
            }
            return Place(index: index, offset: position.offset)
        }
        if let index = segments.firstIndex(where: { $0.previousEnd == position }) {
            return Place(index: index, offset: SegmentHeader.bytes)
        }
        // Nothing was ever written, or everything is loaded and no segment could be opened yet.
        return segments.isEmpty && position == durable ? Place(index: 0, offset: SegmentHeader.bytes) : nil
    }

    /// Nothing more is written to a segment: its durable records end at `offset`.
    mutating func close(_ number: UInt32, at offset: UInt32, isSuspect: Bool = false) {
        guard let index = index(of: number) else { return }
        segments[index].end = offset
        segments[index].isSuspect = isSuspect
    }

    /// Takes in a new segment and parts with those that its `previousEnd` skips.
    mutating func append(_ segment: Segment) {
        while let last = segments.last, last.number > segment.previousEnd.segment {
            orphans.append(last)
            segments.removeLast()
        }
        segments.append(segment)
    }

    /// Notes up to where the loader is done; also backwards, after the database was restored.
    mutating func release(upTo position: Position, now: UInt64) {
        released = position
        for i in segments.indices {
            let segment = segments[i]
            guard let end = segment.end else { continue }
            let isDone = Position(segment: segment.number, offset: end) <= position
            segments[i].releasedAt = isDone ? segment.releasedAt ?? now : nil
        }
    }

    /// Does the second reader still want it?
    func isHeld(_ segment: Segment) -> Bool {
        guard let held, let end = segment.end else { return false }
        return Position(segment: segment.number, offset: end) > held
    }

    /// Durable bytes that the loader has yet to read.
    func backlog(_ durable: Position) -> Int {
        let from = released ?? oldest(durable)
        var sum = 0
        for i in segments.indices {
            let end = limit(i, durable)
            let segment = segments[i]
            if Position(segment: segment.number, offset: end) <= from { continue }
            let start =
                from.segment == segment.number ? max(from.offset, SegmentHeader.bytes) : SegmentHeader.bytes
            sum += Int(end - min(start, end))
        }
        return sum
    }

    /// A number for the name of a file, never given twice.
    mutating func nextSerial() -> Int {
        defer { serial += 1 }
        return serial
    }
}
