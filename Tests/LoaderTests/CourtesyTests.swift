import Testing

@testable import Loader

@Suite struct CourtesyTests {
    private let second: UInt64 = 1_000_000_000

    /// A loader that manages 10 MB/s, while `arriving` bytes a second come and the processors are idle for `idle`
    /// per cent of the time.
    private func courtesy(arriving: Int, idle: Int = 2) -> Courtesy {
        var courtesy = Courtesy()
        courtesy.loaded(bytes: 1_000_000, nanoseconds: second / 10)
        courtesy.look(arrived: 0, processors: ProcessorTimes(idle: 0, total: 0), at: second)
        courtesy.look(arrived: arriving, processors: ProcessorTimes(idle: idle, total: 100), at: 2 * second)
        return courtesy
    }

    @Test(arguments: [
        (arriving: 30_000_000, idle: 2, backlog: 50_000_000, waits: false, yields: true),
        (arriving: 5_000_000, idle: 2, backlog: 50_000_000, waits: false, yields: true),
        (arriving: 1_000_000, idle: 2, backlog: 50_000_000, waits: false, yields: false),
        (arriving: 30_000_000, idle: 60, backlog: 50_000_000, waits: false, yields: false),
        (arriving: 30_000_000, idle: 2, backlog: 300_000_000, waits: false, yields: false),
        (arriving: 30_000_000, idle: 2, backlog: 50_000_000, waits: true, yields: false),
    ])
    func itYieldsInABurstThatTakesTheMachineOnly(
        _ row: (arriving: Int, idle: Int, backlog: Int, waits: Bool, yields: Bool)
    ) {
        var courtesy = courtesy(arriving: row.arriving, idle: row.idle)
        let yields = courtesy.yields(
            backlog: row.backlog, capacity: 1_000_000_000, someoneWaits: row.waits, at: 2 * second)
        #expect(yields == row.yields)
    }

    /// It catches up again and again, since the load waits for it: that is one burst, and it is over after ten seconds.
    @Test func aLoadThatDoesNotEndIsSharedWith() {
        var courtesy = courtesy(arriving: 30_000_000)
        func yields(_ backlog: Int, at tenths: Int) -> Bool {
            courtesy.yields(
                backlog: backlog, capacity: 1 << 30, someoneWaits: false, at: UInt64(tenths) * second / 10)
        }
        for at in 20..<120 { #expect(yields(at % 7 == 0 ? 0 : 8_000_000, at: at)) }
        for at in 120..<600 { #expect(!yields(at % 7 == 0 ? 0 : 8_000_000, at: at)) }
    }

    @Test(arguments: [(4, false), (5, true)])
    func afterACalmThereMayBeAnotherBurst(_ seconds: UInt64, _ isNew: Bool) {
        var (courtesy, arrived, now) = (courtesy(arriving: 30_000_000), 30_000_000, 2 * second)
        func yields(_ backlog: Int) -> Bool {
            courtesy.yields(backlog: backlog, capacity: 1 << 30, someoneWaits: false, at: now)
        }
        func look(arriving: Int) {
            (arrived, now) = (arrived + arriving, now + second)
            let total = Int(now / second) * 100
            courtesy.look(arrived: arrived, processors: ProcessorTimes(idle: 0, total: total), at: now)
        }
        while yields(8_000_000) {}
        for _ in 0...seconds {
            look(arriving: 0)
            #expect(!yields(0))
        }
        look(arriving: 30_000_000)
        #expect(yields(8_000_000) == isNew)
    }

    @Test func theEndOfABurstIsSeen() {
        var courtesy = courtesy(arriving: 30_000_000)
        courtesy.look(
            arrived: 30_100_000, processors: ProcessorTimes(idle: 3, total: 110), at: 2 * second + second / 10
        )
        let yields = courtesy.yields(
            backlog: 1 << 20, capacity: 1 << 30, someoneWaits: false, at: 3 * second)
        #expect(!yields)
    }

    @Test func beforeAnythingWasLoadedNothingIsPutOff() {
        var courtesy = Courtesy()
        courtesy.look(arrived: 0, processors: ProcessorTimes(), at: second)
        courtesy.look(arrived: 1 << 30, processors: ProcessorTimes(idle: 0, total: 100), at: 2 * second)
        let yields = courtesy.yields(
            backlog: 1 << 20, capacity: 1 << 40, someoneWaits: false, at: 2 * second)
        #expect(!yields)
    }

    @Test func theProcessorsAreReadFromTheKernel() {
        let line = "cpu  100 1 50 800 40 0 9 0 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10"
        #expect(ProcessorTimes(line: line).idle == 840)
        #expect(ProcessorTimes(line: line).total == 1000)
        #expect(ProcessorTimes(line: "").idleShare(since: ProcessorTimes(line: "")) == 1)
        #expect(ProcessorTimes.now().total > 0)
    }
}
