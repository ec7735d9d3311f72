import Dispatch
import Foundations
import Testing

@testable import Spool

/// Writing on the caller's own thread, which lanes do while the disk is quick.
@Suite struct WritingAtOnceTests {
    let directory = TemporaryDirectory()

    @Test func whatManyThreadsWriteIsKeptOnceAndEachIsToldAtOnce() throws {
        var spool: Spool? = try open(options(directory, capacity: 64 << 20))
        let (told, asked) = (Counter(), Counter())
        if let spool {
            DispatchQueue.concurrentPerform(iterations: 8) { thread in
                let frame = Frame { _, _ in asked.add() }
                for n in 0..<200 {
                    Writer.fill(&frame.body, UInt64(thread * 200 + n), 300)
                    guard case .success? = spool.write(frame) else { continue }
                    told.add()
                    // What was told is readable: the durable end is behind it.
                    if frame.next > spool.durable { told.add() }
                }
            }
        }
        // A slow moment of the disk makes it an ordinary submission, whose completion tells.
        spool?.settle()
        #expect(told.total + asked.total == 1600)
        #expect(told.total > 0)
        spool = nil
        let again = try open(options(directory, capacity: 64 << 20))
        #expect(try contents(again).ids.sorted() == Array(0..<1600))
    }

    @Test func ordinarySubmissionsThatWaitGoAlong() throws {
        let spool = try open(options(directory))
        let writer = Writer(spool)
        writer.write(0..<5)
        spool.flusherQueue.suspend()
        for id in UInt64(5)..<10 { writer.submit(id) }
        let frame = Frame { _, _ in }
        Writer.fill(&frame.body, 10, 104)
        let done = DispatchSemaphore(value: 0)
        DispatchQueue.global().async {
            _ = spool.write(frame)
            done.signal()
        }
        spool.flusherQueue.resume()
        done.wait()
        writer.wait()
        spool.settle()
        #expect(writer.kept == Array(0..<10))
        #expect(try contents(spool).ids.sorted() == Array(0..<11))
    }

    @Test func aClosedSpoolSaysSo() throws {
        let spool = try open(options(directory))
        let closed = DispatchSemaphore(value: 0)
        spool.close { closed.signal() }
        closed.wait()
        let frame = Frame { _, _ in }
        Writer.fill(&frame.body, 1, 104)
        guard case .failure(.closed)? = spool.write(frame) else {
            Issue.record("a closed spool took a frame")
            return
        }
    }
}
