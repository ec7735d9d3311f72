import Foundations
import Testing

@testable import Spool

func segment(
    _ number: UInt32, after previous: Position, end: UInt32? = nil, bytes: Int = 64 << 10,
    released: UInt64? = nil
) -> Segment {
    Segment(
        number: number, format: .v1, previousEnd: previous, latest: Timestamp(seconds: 0), isRaw: false,
        bytes: bytes, end: end, releasedAt: released)
}

@Suite struct RecoveryPlanTests {
    func at(_ segment: UInt32, _ offset: UInt32) -> Position { Position(segment: segment, offset: offset) }

    @Test func nothingFoundIsAnEmptyLog() { #expect(RecoveryPlan([]) == RecoveryPlan([])) }

    @Test func eachEndIsWhatTheNextOneSays() {
        let plan = RecoveryPlan([segment(4, after: at(3, 50_000)), segment(5, after: at(4, 60_000))])
        #expect(plan.chain.map(\.end) == [60_000, nil])
        #expect(plan.orphans == [])
        #expect(plan.gaps == [])
    }

    @Test func whatIsSkippedIsNotPartOfTheLog() {
        let plan = RecoveryPlan([
            segment(1, after: .start), segment(2, after: at(1, 9000)), segment(3, after: at(1, 9000)),
            segment(4, after: at(1, 9000)),
        ])
        #expect(plan.chain.map(\.number) == [1, 4])
        #expect(plan.chain.map(\.end) == [9000, nil])
        #expect(plan.orphans.map(\.number) == [3, 2])
    }

    @Test func aMissingSegmentIsAGapAndTheEndBeforeItUnknown() {
        let plan = RecoveryPlan([segment(1, after: .start), segment(3, after: at(2, 9000))])
        #expect(plan.chain.map(\.end) == [nil, nil])
        #expect(plan.gaps == [at(2, 9000)])
    }
}

@Suite struct RetentionPlanTests {
    var plan: RetentionPlan {
        var options = SpoolOptions(data: "", capacity: 640 << 10, retain: 1000, retainBytes: 200 << 10)
        options.segmentBytes = 64 << 10
        return RetentionPlan(options)
    }

    func table(_ released: [UInt64?]) -> SegmentTable {
        var table = SegmentTable()
        table.segments = released.enumerated().map { i, time in
            segment(UInt32(i + 1), after: .start, end: 9000, released: time)
        }
        return table
    }

    @Test(
        arguments: [
            ([nil, nil, nil], 0),
            ([0, 0, nil], 2),
            ([1_500_000, 1_500_000, nil], 0),  // not old enough
            ([0, 1_500_000, nil], 1),
            ([nil, 0, nil], 0),  // only from the oldest on
            ([1_500_000, 1_500_000, 1_500_000, 1_500_000, nil], 1),  // more than 200 KiB
            ([0, 0], 1),  // never the last
        ] as [([UInt64?], Int)])
    func theOldestReleasedGo(released: [UInt64?], drops: Int) {
        #expect(plan.drops(table(released), now: 2_000_000) == drops)
    }

    @Test func whatASecondReaderWantsStays() {
        var table = table([0, 0, nil])
        table.held = Position(segment: 1, offset: 9000)
        #expect(plan.drops(table, now: 2_000_000) == 1)
        table.held = .start
        #expect(plan.drops(table, now: 2_000_000) == 0)
    }

    @Test func aSecondReaderNeverKeepsTheRoomFromNewEvents() {
        var table = table([1_999_999] + Array(repeating: nil, count: 7))
        table.held = .start
        #expect(plan.drops(table, now: 2_000_000) == 1)
    }

    @Test func keptSegmentsYieldToNewEvents() {
        var table = table([1_999_999] + Array(repeating: nil, count: 7))
        #expect(plan.roomElsewhere(table) == 64 << 10)
        #expect(plan.drops(table, now: 2_000_000) == 1)
        #expect(plan.maySpare(table))
        table.preparing = 64 << 10
        #expect(plan.roomElsewhere(table) == 64 << 10)
        #expect(!plan.maySpare(table))
    }

    @Test func aSpoolBeyondItsCapHasNoRoom() {
        #expect(plan.roomElsewhere(table(Array(repeating: nil, count: 9))) == 0)
        #expect(plan.roomElsewhere(table(Array(repeating: nil, count: 10))) == -64 << 10)
    }
}

@Suite struct CodecTests {
    @Test func aHeaderReadsBackAsWritten() {
        var random = RandomSource()
        let header = SegmentHeader(
            isRaw: true, number: 77, instance: .v4(&random), epoch: .v4(&random),
            previousEnd: Position(segment: 76, offset: 12_345), latest: Timestamp(microseconds: -5))
        var page = ByteBuffer()
        header.encode(into: &page)
        #expect(page.count == pageBytes)
        #expect(SegmentHeader.decode(page.bytes) == .header(header))
        #expect(SegmentHeader.decode(page.bytes.slice(0..<10)) == .damaged)
    }

    @Test func aRecordBelongsToItsPlaceAlone() {
        let header = RecordHeader(
            length: 9, receivedAt: Timestamp(microseconds: 3), group: 4096, checksum: 0xdead_beef)
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { room in
            header.encode(into: room.baseAddress!, seed: 17, offset: 8192)
            let bytes = Bytes(room)
            #expect(RecordHeader.decode(bytes, seed: 17, offset: 8192) == header)
            #expect(RecordHeader.decode(bytes, seed: 18, offset: 8192) == nil)
            #expect(RecordHeader.decode(bytes, seed: 17, offset: 8200) == nil)
            for bit in 0..<256 {
                room[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(RecordHeader.decode(bytes, seed: 17, offset: 8192) == nil)
                room[bit / 8] ^= 1 << UInt8(bit % 8)
            }
        }
    }

    @Test(arguments: [(0, 32), (1, 40), (8, 40), (9, 48)])
    func recordsBeginAtMultiplesOfEight(length: Int, footprint: Int) {
        #expect(RecordHeader.footprint(length) == footprint)
    }

    @Test func positionsSortAsTheirNumbers() {
        let position = Position(segment: 7, offset: .max)
        #expect(Position(rawValue: position.rawValue) == position)
        #expect(position < Position(segment: 8, offset: 0))
    }
}
