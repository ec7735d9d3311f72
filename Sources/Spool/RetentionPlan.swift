/// Decides which segments go: the oldest that the loader is done with, when they are old enough, too many, or
/// in the way of new events. A second reader who lags behind keeps them for longer, but never from new events.
struct RetentionPlan {
    /// What may be used, but for one segment: the next start begins one, however full the spool is.
    var capacity: Int
    var segmentBytes: Int
    /// Nanoseconds.
    var retain: UInt64
    var retainBytes: Int

    init(_ options: SpoolOptions) {
        segmentBytes = options.effectiveSegmentBytes
        capacity = options.capacity - segmentBytes
        retain = UInt64(max(options.retain, 0)) * 1000
        retainBytes = options.retainBytes
    }

    /// What can still be written beyond the segment that is open; negative when the cap is exceeded, which a
    /// start may do.
    func roomElsewhere(_ table: SegmentTable) -> Int {
        let ready = (table.spare == nil ? 0 : 1) + (table.preparing > 0 ? 1 : 0)
        let free = capacity - table.bytes
        let more = free >= 0 ? free / segmentBytes : (free - segmentBytes + 1) / segmentBytes
        return (ready + more) * segmentBytes
    }

    /// May another spare be made?
    func maySpare(_ table: SegmentTable) -> Bool {
        table.spare == nil && table.preparing == 0 && table.bytes + segmentBytes <= capacity
    }

    /// How many of the oldest segments go.
    func drops(_ table: SegmentTable, now: UInt64) -> Int {
        var released = 0
        for segment in table.segments where segment.releasedAt != nil { released += segment.bytes }
        var excess = 2 * segmentBytes - roomElsewhere(table)
        var count = 0
        for segment in table.segments.dropLast() {
            guard let since = segment.releasedAt else { break }
            let isOld = now >= since && now - since >= retain
            let isDue = (isOld || released > retainBytes) && !table.isHeld(segment)
            guard isDue || excess > 0 else { break }
            released -= segment.bytes
            excess -= segment.bytes
            count += 1
        }
        return count
    }
}
