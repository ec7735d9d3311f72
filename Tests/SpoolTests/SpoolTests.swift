import Dispatch
import Foundations
import Glibc
import Synchronization
import Testing

@testable import Spool

@Suite struct SpoolTests {
    let directory = TemporaryDirectory()

    @Test(arguments: [8, 9, 100, 4000, 4064, 20_000, 61_376])
    func whatWasWrittenComesBackInOrder(bytes: Int) throws {
        var spool: Spool? = try open(options(directory))
        let instance = spool!.instance
        let epoch = spool!.epoch
        Writer(spool!).write(0..<50, bytes: bytes)
        #expect(try contents(spool!).ids == Array(0..<50))
        close(spool!)
        drop(&spool)
        spool = try open(options(directory))
        #expect(try contents(spool!).ids == Array(0..<50))
        #expect(spool!.instance == instance)
        #expect(spool!.epoch == epoch)
    }

    @Test func aFreshSpoolIsEmptyAndBeginsAtTheStart() throws {
        let spool = try open(options(directory))
        #expect(spool.durable == .start)
        #expect(try contents(spool, from: .start).ids == [])
        #expect(spool.status.oldestUnloaded == nil)
        Writer(spool).write(1...1)
        #expect(try contents(spool, from: .start).ids == [1])
    }

    @Test func aSecondStartIsRefusedAndNamesTheProcess() throws {
        let spool = try open(options(directory))
        let error = #expect(throws: SpoolError.self) {
            try Spool(options: options(directory), clock: .system, logger: quiet)
        }
        #expect(error == .locked(path: directory.path, pid: getpid()))
        _ = spool.durable
    }

    @Test func everyPlaceHasOneName() throws {
        var spool: Spool? = try open(options(directory))
        let writer = Writer(spool!)
        writer.write(0..<100, bytes: 3000)
        func check(_ spool: Spool) throws {
            let records = try contents(spool).records
            #expect(records.first?.position == .start)
            #expect(zip(records, records.dropFirst()).allSatisfy { $0.next == $1.position })
            #expect(records.map(\.next) == writer.book.withLock { $0.kept.map(\.next) })
            #expect(spool.durable == records.last?.next)
            #expect(Set(records.map(\.next.segment)).count > 3)
        }
        try check(spool!)
        drop(&spool, writer)
        spool = try open(options(directory))
        try check(spool!)
    }

    @Test func readingGoesOnAtAnyPosition() throws {
        var spool: Spool? = try open(options(directory))
        let writer = Writer(spool!)
        writer.write(0..<60, bytes: 3000)
        drop(&spool, writer)
        spool = try open(options(directory))
        for (index, entry) in writer.book.withLock({ $0.kept }).enumerated() {
            #expect(try contents(spool!, from: entry.next).ids == Array(UInt64(index + 1)..<60))
        }
    }

    @Test func aReaderCatchesUpWhileTheFlusherWrites() throws {
        let spool = try open(options(directory))
        let grown = DispatchSemaphore(value: 0)
        spool.onDurable { grown.signal() }
        let writer = Writer(spool)
        DispatchQueue.global().async { for id in UInt64(0)..<2000 { writer.submit(id, bytes: 700) } }
        let reader = try spool.reader(from: nil)
        var seen: [UInt64] = []
        var buffer = ByteBuffer()
        while seen.count < 2000 {
            grown.wait()
            while let record = try reader.next(into: &buffer) {
                seen.append(buffer[record.range].little(at: 0, UInt64.self))
                buffer.removeAll()
            }
        }
        #expect(seen == Array(0..<2000))
        #expect(reader.position == spool.durable)
    }

    @Test func arrivalTimesNeverGoBack() throws {
        var spool: Spool? = try open(options(directory))
        for (id, second) in [(0, 500), (1, 400), (2, 900), (3, 100)] {
            Writer(spool!).submit(UInt64(id), at: Timestamp(seconds: Int64(second)))
        }
        spool!.settle()
        drop(&spool)
        spool = try open(options(directory))
        let writer = Writer(spool!)
        writer.submit(4, at: Timestamp(seconds: 600))
        writer.wait()
        let times = try contents(spool!).records.map(\.receivedAt.seconds)
        #expect(times == [500, 500, 900, 900, 900])
    }

    @Test func theStatusTellsTheBacklog() throws {
        let spool = try open(options(directory))
        let writer = Writer(spool)
        writer.submit(0, at: Timestamp(seconds: 7))
        writer.submit(1, at: Timestamp(seconds: 8))
        writer.wait()
        #expect(spool.status.oldestUnloaded == Timestamp(seconds: 7))
        #expect(spool.status.backlogBytes == 2 * RecordHeader.footprint(104))
        spool.release(upTo: writer.book.withLock { $0.kept[0].next })
        #expect(spool.status.oldestUnloaded == Timestamp(seconds: 8))
        spool.release(upTo: spool.durable)
        #expect(spool.status.oldestUnloaded == nil)
        #expect(spool.status.backlogBytes == 0)
    }

    @Test func aFrameLargerThanASegmentIsRefusedAndNothingElse() throws {
        let spool = try open(options(directory))
        let writer = Writer(spool)
        writer.submit(0)
        writer.submit(1, bytes: 64 << 10)
        writer.submit(2)
        writer.wait()
        #expect(writer.kept == [0, 2])
        #expect(writer.errors == [.tooLarge(bytes: 64 << 10, limit: (64 << 10) - 4096 - 32)])
    }

    @Test func afterClosingFramesFail() throws {
        let spool = try open(options(directory))
        let writer = Writer(spool)
        writer.write(0..<3)
        close(spool)
        writer.write(3..<5)
        #expect(writer.errors == [.closed, .closed])
        #expect(try contents(spool).ids == [0, 1, 2])
    }

    @Test func manyRestartsDoNotFillTheDisk() throws {
        for round in UInt64(0)..<40 {
            let spool = try open(options(directory))
            Writer(spool).write(round..<round + 1)
            spool.tick()
            spool.settle()
            _ = spool.durable
        }
        let spool = try open(options(directory))
        spool.tick()
        spool.settle()
        #expect(try contents(spool).ids == Array(0..<40))
        #expect(spool.status.bytes < 40 * 8192 + 3 * (64 << 10))
    }

    @Test func aPositionThatIsGoneIsRefusedLoudly() throws {
        var settings = options(directory)
        settings.retain = 0
        let spool = try open(settings)
        let writer = Writer(spool)
        writer.write(0..<100, bytes: 3000)
        let positions = writer.book.withLock { $0.kept.map(\.next) }
        let reader = try spool.reader(from: positions[0])
        spool.release(upTo: positions[60])
        spool.tick()
        spool.settle()
        #expect(throws: SpoolError.positionLost(wanted: positions[0], oldest: spool.status.oldest)) {
            _ = try spool.reader(from: positions[0])
        }
        #expect(throws: SpoolError.positionLost(wanted: positions[0], oldest: spool.status.oldest)) {
            var buffer = ByteBuffer()
            _ = try reader.next(into: &buffer)
        }
        #expect(try contents(spool, from: positions[60]).ids == Array(61..<100))
        #expect(spool.status.oldest <= positions[60])
        let ahead = Position(segment: 900, offset: 5000)
        #expect(throws: SpoolError.positionAhead(wanted: ahead, durable: spool.durable)) {
            _ = try spool.reader(from: ahead)
        }
    }

    @Test func theEndOfARemovedSegmentIsStillAPosition() throws {
        var settings = options(directory)
        settings.retain = 0
        var spool: Spool? = try open(settings)
        let writer = Writer(spool!)
        writer.write(0..<100, bytes: 3000)
        let ends = try contents(spool!).records.filter { $0.position.segment != $0.next.segment }
        let boundary = ends[2].position
        spool!.release(upTo: boundary)
        spool!.tick()
        spool!.settle()
        #expect(spool!.status.oldest == boundary)
        let rest = try contents(spool!, from: boundary).ids
        #expect(rest.last == 99)
        drop(&spool, writer)
        spool = try open(settings)
        #expect(try contents(spool!, from: boundary).ids == rest)
        #expect(try contents(spool!).ids == rest)
    }
}
