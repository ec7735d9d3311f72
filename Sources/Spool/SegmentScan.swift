import Foundations

/// Finds the end of a segment that no later one vouches for.
///
/// A crash may leave any part of the last group on disk: its records were not answered, and the log ends
/// before the first of them that is not whole. But where a record behind an unreadable place says that the
/// place was durable before it was written, that is no torn group: it is damage, to be told, and the log goes
/// on behind it.
struct SegmentScan {
    var end = SegmentHeader.bytes
    var latest: Timestamp
    var records = 0
    /// Where damaged places begin, and how many bytes they span.
    var damages: [(offset: UInt32, bytes: UInt32)] = []

    init(_ window: RecordWindow, from latest: Timestamp, limit: UInt32) throws(SystemError) {
        self.latest = latest
        var offset = SegmentHeader.bytes
        while true {
            if let record = try window.record(at: offset, limit: limit) {
                offset = record.next
                end = offset
                records += 1
                self.latest = max(self.latest, record.header.receivedAt)
            } else if let next = try Self.damaged(window, at: offset, limit) {
                damages.append((offset, next - offset))
                offset = next
            } else {
                return
            }
        }
    }

    /// Where the log goes on when `offset` is a damaged place in it; nil when it is the end of the log.
    private static func damaged(
        _ window: RecordWindow, at offset: UInt32, _ limit: UInt32
    ) throws(SystemError) -> UInt32? {
        let first = try window.search(after: offset, limit: limit)
        var candidate = first
        while let place = candidate {
            if let record = try window.record(at: place, limit: limit) {
                if record.header.group > offset { return first }
                candidate = record.next
            } else {
                candidate = try window.search(after: place, limit: limit)
            }
        }
        return nil
    }
}
