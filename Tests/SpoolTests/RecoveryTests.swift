import Foundations
import Glibc
import Testing

@testable import Spool

@Suite struct RecoveryTests {
    let directory = TemporaryDirectory()

    /// A copy of the files as they are, as if the process had been killed now.
    func killed(_ spool: Spool) -> TemporaryDirectory {
        spool.settle()
        let copy = TemporaryDirectory()
        TemporaryDirectory.copy(spool.options.data, to: copy.path)
        return copy
    }

    /// A spool that finds its spare ready, and therefore stays in its first segment until that is full.
    func steady() throws -> Spool {
        try open(options(directory)).settle()
        let spool = try open(options(directory))
        spool.settle()
        return spool
    }

    func segment(_ directory: TemporaryDirectory, _ number: UInt32) -> String {
        SpoolDirectory(data: directory.path).segment(number)
    }

    @Test(arguments: [1, 8, 31, 32, 33, 100, 131])
    func aTornTailIsCutOff(torn: Int) throws {
        let spool = try steady()
        let writer = Writer(spool)
        writer.write(0..<10)
        let copy = killed(spool)
        let end = Int(spool.durable.offset)
        var bytes = TemporaryDirectory.read(segment(copy, spool.durable.segment))
        for i in end - torn..<end { bytes[i] = 0xa5 }
        TemporaryDirectory.write(bytes, to: segment(copy, spool.durable.segment))
        var again: Spool? = try open(options(copy))
        #expect(try contents(again!).ids == Array(0..<9))
        #expect(again!.status.corruptions == 0)
        Writer(again!).write(20..<30)
        drop(&again, writer)
        again = try open(options(copy))
        #expect(try contents(again!).ids == Array(0..<9) + Array(20..<30))
    }

    /// Frames that are submitted while the queue is held end up in one group.
    func writeGroup(_ writer: Writer, _ ids: Range<UInt64>) {
        writer.spool?.holdingFlusher { for id in ids { writer.submit(id) } }
        writer.wait()
    }

    @Test func anIntactRecordBehindATornOneOfItsGroupIsNeverRead() throws {
        let spool = try steady()
        let writer = Writer(spool)
        writer.write(0..<5)
        let before = Int(spool.durable.offset)
        writeGroup(writer, 5..<8)
        let copy = killed(spool)
        let path = segment(copy, spool.durable.segment)
        var bytes = TemporaryDirectory.read(path)
        bytes[before + 50] ^= 1
        TemporaryDirectory.write(bytes, to: path)
        var again: Spool? = try open(options(copy))
        #expect(try contents(again!).ids == Array(0..<5))
        // The same length again, so that the new record would end where the old one begins.
        Writer(again!).write(50..<51)
        #expect(try contents(again!).ids == [0, 1, 2, 3, 4, 50])
        drop(&again, writer)
        again = try open(options(copy))
        #expect(try contents(again!).ids == [0, 1, 2, 3, 4, 50])
    }

    @Test func damageInTheLastSegmentIsToldAndSteppedOver() throws {
        let spool = try steady()
        let writer = Writer(spool)
        writer.write(0..<3)
        let positions = writer.book.withLock { $0.kept.map(\.next) }
        writer.write(3..<4)
        writer.write(4..<5)
        let copy = killed(spool)
        let path = segment(copy, spool.durable.segment)
        var bytes = TemporaryDirectory.read(path)
        bytes[Int(positions[1].offset) + 40] ^= 1
        TemporaryDirectory.write(bytes, to: path)
        let again = try open(options(copy))
        #expect(try contents(again).ids == [0, 1, 3, 4])
        #expect(again.status.corruptions == 1)
    }

    @Test func damageInAClosedSegmentIsToldAndSteppedOver() throws {
        let spool = try steady()
        let writer = Writer(spool)
        writer.write(0..<100, bytes: 3000)
        let positions = writer.book.withLock { $0.kept.map(\.next) }
        let copy = killed(spool)
        let path = segment(copy, positions[5].segment)
        var bytes = TemporaryDirectory.read(path)
        bytes[Int(positions[5].offset) + 3] ^= 0x40
        TemporaryDirectory.write(bytes, to: path)
        let again = try open(options(copy))
        #expect(try contents(again).ids == Array(0..<6) + Array(7..<100))
        _ = try contents(again)
        #expect(again.status.corruptions == 1)
    }

    @Test func aBodyThatImitatesARecordIsNotOne() throws {
        let spool = try steady()
        let writer = Writer(spool)
        writer.write(0..<1)
        let end = Int(spool.durable.offset)
        let record = TemporaryDirectory.read(segment(directory, spool.durable.segment))[4096..<end]
        let frame = Frame { _, _ in }
        for _ in 0..<10 { frame.body.append(Array(record)) }
        spool.submit(frame)
        spool.settle()
        writer.write(1..<2)
        let copy = killed(spool)
        var bytes = TemporaryDirectory.read(segment(copy, spool.durable.segment))
        bytes[end + 33] ^= 1
        TemporaryDirectory.write(bytes, to: segment(copy, spool.durable.segment))
        let again = try open(options(copy))
        #expect(try contents(again).ids == [0, 1])
        #expect(again.status.corruptions == 1)
    }

    @Test func aGigabyteOfBacklogIsOpenedAtOnce() throws {
        let size = 64 << 20
        var settings = options(directory)
        settings.capacity = 4 << 30
        var spool: Spool? = try open(settings)
        let (instance, epoch) = (spool!.instance, spool!.epoch)
        let writer = Writer(spool!)
        writer.write(0..<1)
        var previous = spool!.durable
        drop(&spool, writer)
        // Sixteen full segments of zeros; only their headers are looked at.
        for number in UInt32(2)..<18 {
            var page = ByteBuffer()
            SegmentHeader(
                number: number, instance: instance, epoch: epoch, previousEnd: previous,
                latest: Timestamp(seconds: 9)
            ).encode(into: &page)
            TemporaryDirectory.write(Array(page.bytes), to: segment(directory, number))
            truncate(segment(directory, number), off_t(size))
            previous = Position(segment: number, offset: UInt32(size))
        }
        let begun = Clock.system.monotonic()
        spool = try open(settings)
        let milliseconds = (Clock.system.monotonic() - begun) / 1_000_000
        #expect(milliseconds < 3000)
        #expect(spool!.status.segments == 17)
        #expect(spool!.status.backlogBytes > 15 * (size - 4096))
        #expect(spool!.durable == Position(segment: 16, offset: UInt32(size)))
    }

    @Test func aMissingSegmentIsTold() throws {
        let spool = try steady()
        Writer(spool).write(0..<100, bytes: 3000)
        let copy = killed(spool)
        unlink(segment(copy, 4))
        let again = try open(options(copy))
        let found = try contents(again).ids
        #expect(found == found.sorted() && found.first == 0 && found.last == 99 && found.count < 100)
        #expect(again.status.corruptions == 1)
    }

    @Test func onePageOfAHeaderMayLoseACopyButNotBoth() throws {
        let spool = try steady()
        Writer(spool).write(0..<100, bytes: 3000)
        let copy = killed(spool)
        var bytes = TemporaryDirectory.read(segment(copy, 3))
        bytes[20] ^= 1
        TemporaryDirectory.write(bytes, to: segment(copy, 3))
        var again: Spool? = try open(options(copy))
        #expect(try contents(again!).ids == Array(0..<100))
        drop(&again)
        bytes[2048 + 20] ^= 1
        TemporaryDirectory.write(bytes, to: segment(copy, 3))
        #expect(throws: SpoolError.damaged(path: segment(copy, 3), found: "no intact header")) {
            _ = try open(options(copy))
        }
    }

    @Test func aNewerFormatIsRefused() throws {
        let spool = try steady()
        Writer(spool).write(0..<1)
        let copy = killed(spool)
        var bytes = TemporaryDirectory.read(segment(copy, 2))
        bytes[8] = 9
        bytes[2048 + 8] = 9
        TemporaryDirectory.write(bytes, to: segment(copy, 2))
        #expect(throws: SpoolError.newerFormat(path: segment(copy, 2), version: 9)) {
            _ = try open(options(copy))
        }
    }

    @Test func aSegmentOfAnotherSpoolIsRefused() throws {
        let spool = try steady()
        Writer(spool).write(0..<100, bytes: 3000)
        let other = TemporaryDirectory()
        let stranger = try open(options(other))
        let copy = killed(spool)
        let path = segment(copy, 3)
        TemporaryDirectory.write(TemporaryDirectory.read(segment(other, 1)), to: path)
        #expect(throws: SpoolError.foreign(path: path)) { _ = try open(options(copy)) }
        _ = stranger.durable
    }

    @Test func aRecycledSegmentRevivesNothing() throws {
        var settings = options(directory)
        settings.retain = 0
        let spool = try open(settings)
        let writer = Writer(spool)
        // The same size all the time: old and new records begin at the same offsets.
        for round in UInt64(0)..<30 {
            writer.write(round * 20..<round * 20 + 20, bytes: 3000)
            spool.release(upTo: spool.durable)
            spool.tick()
            spool.settle()
            let copy = killed(spool)
            let again = try open(options(copy))
            let found = try contents(again).ids
            #expect(found == Array(round * 20 + 20 - UInt64(found.count)..<round * 20 + 20))
        }
        #expect(spool.status.bytes <= 4 * (64 << 10))
    }

    @Test func anAbandonedBeginningIsSkipped() throws {
        // Segments 2 and 3 were begun by servers that stopped before their first record was durable.
        for _ in 0..<3 { try open(options(directory)).settle() }
        var spool: Spool? = try open(options(directory))
        Writer(spool!).write(0..<3)
        let end = spool!.durable
        drop(&spool)
        spool = try open(options(directory))
        #expect(spool!.durable == end)
        #expect(try contents(spool!, from: .start).ids == [0, 1, 2])
        #expect(spool!.status.segments == 2)
    }
}

extension Spool {
    /// Runs something while the flusher stands still, so that all frames go into one group.
    func holdingFlusher(_ body: () -> Void) { flusherQueue.sync(execute: body) }
}
