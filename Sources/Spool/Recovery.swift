import Foundations
import Glibc

/// What a start finds on disk: reads the headers of all segments, and the records of the last one only.
struct Recovery {
    private(set) var table = SegmentTable()
    private(set) var instance: UUID
    private(set) var epoch: UUID
    private(set) var durable = Position.start
    private(set) var latest = Timestamp(microseconds: 0)
    /// The number of the next segment: larger than any that may have held records.
    private(set) var nextNumber: UInt32 = 1
    private(set) var damages: [(position: Position, bytes: UInt32)] = []

    private let names: SpoolDirectory

    init(_ options: SpoolOptions) throws(SpoolError) {
        names = SpoolDirectory(data: options.data)
        var random = RandomSource()
        let known = try InstanceFile.read(data: options.data)
        instance = known ?? .v4(&random)
        epoch = .v4(&random)

        let names = self.names
        let found = try attempt { () throws(SystemError) in try names.list() }
        try takeSpare(found, options.effectiveSegmentBytes)
        nextNumber = (found.segments.last ?? 0) + 1
        let plan = RecoveryPlan(try readHeaders(found.segments, known))
        table.segments = plan.chain
        table.orphans = plan.orphans
        damages = plan.gaps.map { ($0, 0) }
        for index in table.segments.indices where table.segments[index].end == nil { try findEnd(index) }
        durable = table.segments.last.map { $0.position(at: $0.end ?? 0) } ?? .start
        if known == nil {
            let (id, data) = (instance, options.data)
            try attempt { () throws(SystemError) in try InstanceFile.write(id, data: data) }
        }
    }

    /// Keeps one spare that is whole; everything half-made goes.
    private mutating func takeSpare(_ found: SpoolDirectory.Names, _ bytes: Int) throws(SpoolError) {
        let names = self.names
        table.serial = (found.spares + found.unfinished).reduce(0, max) + 1
        let kept = try attempt { () throws(SystemError) in
            for serial in found.unfinished { try names.remove(names.unfinished(serial)) }
            var kept: SegmentTable.Spare?
            for serial in found.spares {
                let path = names.spare(serial)
                if kept == nil, let file = try? SegmentFile(path: path, O_RDWR), try file.size() == bytes {
                    kept = SegmentTable.Spare(file: file, path: path, bytes: bytes)
                } else {
                    try names.remove(path)
                }
            }
            return kept
        }
        table.spare = kept
    }

    private mutating func readHeaders(_ numbers: [UInt32], _ known: UUID?) throws(SpoolError) -> [Segment] {
        var segments: [Segment] = []
        for number in numbers {
            let path = names.segment(number)
            let (outcome, bytes) = try attempt { () throws(SystemError) in
                let file = try SegmentFile(path: path, O_RDONLY)
                var page = ByteBuffer(capacity: pageBytes)
                try page.fill(from: file, pageBytes)
                return (SegmentHeader.decode(page.bytes), try file.size())
            }
            let header: SegmentHeader
            switch outcome {
            case .header(let found): header = found
            case .newer(let version): throw .newerFormat(path: path, version: version)
            case .damaged: throw .damaged(path: path, found: "no intact header")
            }
            if segments.isEmpty {
                instance = known ?? header.instance
                epoch = header.epoch
            }
            guard header.instance == instance, header.epoch == epoch else { throw .foreign(path: path) }
            guard header.number == number else {
                throw .damaged(path: path, found: "the header of segment \(header.number)")
            }
            segments.append(
                Segment(
                    number: number, format: header.format, previousEnd: header.previousEnd,
                    latest: header.latest,
                    isRaw: header.isRaw, bytes: bytes))
        }
        return segments
    }

    /// Finds where a segment ends that no later one vouches for, and makes sure that all of it is durable:
    /// what the loader commits must never vanish from the log again.
    private mutating func findEnd(_ index: Int) throws(SpoolError) {
        let segment = table.segments[index]
        let path = names.segment(segment.number)
        let seed = RecordHeader.seed(epoch: epoch, segment: segment.number)
        let (end, last, scan) = try attempt { () throws(SystemError) -> (UInt32, Timestamp, SegmentScan?) in
            let file = try SegmentFile(path: path, O_RDWR)
            var page = ByteBuffer(capacity: pageBytes)
            try page.fill(from: file, pageBytes)
            if let seal = SegmentSeal.decode(page.bytes, seed: seed), Int(seal.end) <= segment.bytes {
                return (seal.end, seal.latest, nil)
            }
            let window = RecordWindow(file, seed: seed, piece: 1 << 20)
            let scan = try SegmentScan(
                window, from: segment.latest, limit: UInt32(clamping: segment.bytes))
            try file.sync()
            return (scan.end, scan.latest, scan)
        }
        table.segments[index].end = end
        latest = max(latest, last)
        for damage in scan?.damages ?? [] {
            damages.append((Position(segment: segment.number, offset: damage.offset), damage.bytes))
        }
    }
}
