import Foundations
import Testing

@testable import Spool

@Suite struct FullSpoolTests {
    let directory = TemporaryDirectory()

    @Test func aSpoolIsFullBeforeItsCapAndNothingAcceptedFails() throws {
        let spool = try open(options(directory, capacity: 512 << 10))
        let writer = Writer(spool)
        var id: UInt64 = 0
        while !spool.isFull, id < 10_000 {
            writer.write(id..<id + 1, bytes: 3000)
            id += 1
        }
        #expect(spool.status.isFull)
        // What was accepted before everyone knew: half a segment.
        writer.write(id..<id + 10, bytes: 3000)
        spool.tick()
        spool.settle()
        #expect(writer.failed == [])
        #expect(spool.status.bytes <= 512 << 10)
        #expect(spool.status.bytes > 384 << 10)
        #expect(try contents(spool).ids == Array(0..<id + 10))

        // The loader is done with all of it: there is room again, although an hour has not passed.
        spool.release(upTo: spool.durable)
        spool.tick()
        spool.settle()
        #expect(!spool.isFull)
        writer.write(id + 10..<id + 20, bytes: 3000)
        #expect(writer.failed == [])
    }

    @Test func aFullSpoolStaysBelowItsCapHoweverOftenItIsRestarted() throws {
        var id: UInt64 = 0
        for _ in 0..<12 {
            var spool: Spool? = try open(options(directory, capacity: 512 << 10))
            spool!.tick()
            spool!.settle()
            #expect(spool!.status.bytes <= 512 << 10)
            let writer = Writer(spool!)
            while !spool!.isFull, id < 10_000 {
                writer.write(id..<id + 1, bytes: 3000)
                id += 1
            }
            #expect(writer.failed == [])
            #expect(try contents(spool!).ids == Array(0..<id))
            drop(&spool, writer)
        }
    }

    @Test(arguments: [(8 << 30, 64 << 20), (100 << 20, 25 << 20), (1 << 20, 256 << 10), (1000, 64 << 10)])
    func fourSegmentsFitIntoTheCapacity(capacity: Int, segment: Int) {
        #expect(SpoolOptions(data: "", capacity: capacity).effectiveSegmentBytes == segment)
    }
}
