import Dispatch
import Foundations
import Glibc

/// Keeps a spare segment ready, and takes away what is no longer needed; never in the way of the flusher.
final class Housekeeper: Sendable {
    let queue = DispatchQueue(label: "spool.housekeeper", qos: .utility)
    private let core: SpoolCore
    /// What went wrong last time: told once, not every second.
    private let complaint = Locked<String?>(nil)

    init(core: SpoolCore) { self.core = core }

    /// Looks soon, on its own queue.
    func poke() { queue.async { self.run() } }

    func run() {
        do throws(SystemError) {
            while let segment = nextToGo() { try take(segment) }
            try trim()
            try prepareSpare()
            complaint.withLock { $0 = nil }
        } catch {
            let text = error.description
            let isNews = complaint.withLock { last in
                defer { last = text }
                return last != text
            }
            if isNews {
                core.logger.warning("the spool's housekeeping failed", metadata: ["error": "\(text)"])
            }
        }
    }

    /// The next segment that goes, oldest first, so that the log never has a hole.
    private func nextToGo() -> Segment? {
        let now = core.clock.monotonic()
        return core.changeTable { table in
            if let orphan = table.orphans.popLast() { return orphan }
            return core.plan.drops(table, now: now) > 0 ? table.segments.removeFirst() : nil
        }
    }

    /// Makes a file the spare when there is none, else removes it. Nobody finds it in the table any more: a
    /// reader that still has it open looks there before it trusts what it read.
    private func take(_ segment: Segment) throws(SystemError) {
        let path = core.names.segment(segment.number)
        let isWelcome = core.table.withLock { $0.spare == nil && $0.preparing == 0 }
        guard isWelcome, segment.bytes == core.segmentBytes, !segment.isRaw, !segment.isSuspect else {
            return try core.names.remove(path)
        }
        let spare = core.names.spare(core.changeTable { $0.nextSerial() })
        try core.names.rename(path, to: spare)
        // Were the old name to come back after a crash, it would name the contents of a newer segment.
        try core.names.sync()
        let file = try SegmentFile(path: spare, O_RDWR)
        core.changeTable { $0.spare = SegmentTable.Spare(file: file, path: spare, bytes: segment.bytes) }
    }

    /// Gives back what segments that ended early do not use: a server that restarts often would otherwise fill
    /// the spool with empty space.
    private func trim() throws(SystemError) {
        let wasteful = core.table.withLock { table in
            table.segments.filter { segment in
                guard let end = segment.end, !segment.isSuspect else { return false }
                let isShort = segment.isRaw || Int(end) < core.segmentBytes / 4 * 3
                return isShort && segment.bytes > Self.pages(end)
            }
        }
        for segment in wasteful {
            let bytes = Self.pages(segment.end ?? 0)
            try SegmentFile(path: core.names.segment(segment.number), O_RDWR).truncate(to: bytes)
            core.changeTable { table in
                if let index = table.index(of: segment.number) { table.segments[index].bytes = bytes }
            }
        }
    }

    private static func pages(_ end: UInt32) -> Int { (Int(end) + pageBytes - 1) & ~(pageBytes - 1) }

    private func prepareSpare() throws(SystemError) {
        let serial = core.changeTable { table -> Int? in
            guard core.plan.maySpare(table) else { return nil }
            table.preparing = core.segmentBytes
            return table.nextSerial()
        }
        guard let serial else { return }
        let path = core.names.unfinished(serial)
        do throws(SystemError) {
            let file = try SegmentFile(path: path, O_RDWR | O_CREAT | O_TRUNC)
            try file.reserve(core.segmentBytes)
            try file.fill(core.segmentBytes)
            try core.names.rename(path, to: core.names.spare(serial))
            core.changeTable { table in
                table.preparing = 0
                table.spare = SegmentTable.Spare(
                    file: file, path: core.names.spare(serial), bytes: core.segmentBytes)
            }
        } catch {
            try? core.names.remove(path)
            core.changeTable { $0.preparing = 0 }
            throw error
        }
    }
}
