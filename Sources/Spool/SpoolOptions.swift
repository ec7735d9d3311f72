import Foundations

/// What the owner of a spool decides.
package struct SpoolOptions: Sendable {
    /// The data directory: the segments lie in `spool` below it, `instance` and `lock` beside that.
    package var data: String
    /// Everything the spool may take on disk, in bytes.
    package var capacity: Int
    /// How long segments are kept after `release`, in microseconds …
    package var retain: Int64
    /// … and how many bytes of such segments at most.
    package var retainBytes: Int
    /// The size of a segment; made smaller when fewer than four would fit into the capacity.
    package var segmentBytes = 64 << 20
    /// Does housekeeping run by itself, once a second? Tests that turn a clock by hand switch it off.
    package var ticks = true

    package init(
        data: String, capacity: Int = 8 << 30, retain: Int64 = 3_600_000_000, retainBytes: Int = 2 << 30
    ) {
        self.data = data
        self.capacity = capacity
        self.retain = retain
        self.retainBytes = retainBytes
    }

    package init(data: String, limits: Limits) {
        self.init(
            data: data, capacity: limits.spool, retain: limits.retain, retainBytes: limits.retainBytes)
    }

    /// Where the segments lie.
    package var directory: String { data + "/spool" }

    /// The size of new segments: whole pages, at least four of them within the capacity, at least 64 KiB.
    var effectiveSegmentBytes: Int {
        let wanted = max(min(segmentBytes, capacity / 4, 1 << 30), 64 << 10)
        return wanted & ~(pageBytes - 1)
    }
}

/// What is written at once without reading first; header blocks and segments are multiples of it.
let pageBytes = 4096
