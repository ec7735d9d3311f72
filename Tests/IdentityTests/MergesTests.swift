import Foundations
import Testing

@testable import Identity

struct MergesTests {
    private func id(_ n: UInt64) -> UUID { UUID(high: 0, low: n) }
    private let at = Timestamp(seconds: 1)

    @Test func twoSessionsThatWereAnsweredEachOthersProfileEndAtOne() {
        var merges = Merges()
        merges.merge(id(1), into: id(2), at: at)
        merges.merge(id(2), into: id(1), at: at)
        #expect(merges.all.map(\.loser) == [id(1)])
        #expect(merges.target(of: id(1)) == id(2))
        #expect(merges.target(of: id(2)) == id(2))
    }

    @Test func noAliasPointsAtAnAlias() {
        var merges = Merges()
        merges.merge(id(1), into: id(2), at: at)
        merges.merge(id(2), into: id(3), at: at)
        merges.merge(id(4), into: id(1), at: at)
        let losers = Set(merges.all.map(\.loser))
        #expect(losers == [id(1), id(2), id(4)])
        #expect(merges.all.allSatisfy { $0.winner == id(3) })
    }
}
