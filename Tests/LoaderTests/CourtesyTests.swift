import Testing

@testable import Loader

@Suite struct CourtesyTests {
    private let second: UInt64 = 1_000_000_000

    /// A loader that manages 10 MB/s, while `arriving` bytes a second come.
    private func courtesy(arriving: Int) -> Courtesy {
        var courtesy = Courtesy()
        courtesy.loaded(bytes: 1_000_000, nanoseconds: second / 10)
        courtesy.look(arrived: 0, at: second)
        courtesy.look(arrived: arriving, at: 2 * second)
        return courtesy
    }

    @Test(arguments: [
        (arriving: 30_000_000, backlog: 50_000_000, age: Int64(2_000_000), waits: false, yields: true),
        (arriving: 5_000_000, backlog: 50_000_000, age: 2_000_000, waits: false, yields: false),
        (arriving: 30_000_000, backlog: 50_000_000, age: 11_000_000, waits: false, yields: false),
        (arriving: 30_000_000, backlog: 300_000_000, age: 2_000_000, waits: false, yields: false),
        (arriving: 30_000_000, backlog: 50_000_000, age: 2_000_000, waits: true, yields: false),
    ])
    func itYieldsInABurstOnly(
        _ row: (arriving: Int, backlog: Int, age: Int64, waits: Bool, yields: Bool)
    ) {
        let yields = courtesy(arriving: row.arriving).yields(
            backlog: row.backlog, capacity: 1_000_000_000, age: row.age, someoneWaits: row.waits)
        #expect(yields == row.yields)
    }

    @Test func theEndOfABurstIsSeen() {
        var courtesy = courtesy(arriving: 30_000_000)
        courtesy.look(arrived: 30_100_000, at: 2 * second + second / 10)
        #expect(!courtesy.yields(backlog: 1 << 20, capacity: 1 << 30, age: 0, someoneWaits: false))
    }

    @Test func beforeAnythingWasLoadedNothingIsPutOff() {
        var courtesy = Courtesy()
        courtesy.look(arrived: 0, at: second)
        courtesy.look(arrived: 1 << 30, at: 2 * second)
        #expect(!courtesy.yields(backlog: 1 << 20, capacity: 1 << 40, age: 0, someoneWaits: false))
    }
}
