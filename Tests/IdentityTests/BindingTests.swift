import Foundations
import Testing

@testable import Identity

struct BindingTests {
    private let derived = UUID(high: 1, low: 1)
    private let known = UUID(high: 2, low: 2)
    private let other = UUID(high: 3, low: 3)

    @Test func aNewSessionTakesWhatItWasAnswered() {
        var binding = Binding(row: nil, derived: derived)
        #expect(binding.profile == nil)
        binding.take(derived, .derived)
        #expect(binding.profile == derived)
        #expect(binding.losers == [])
    }

    @Test func aDerivedIDLosesToAKnownOneWhicheverCameFirst() {
        for order in [
            [(derived, Binding.Strength.derived), (known, .known)], [(known, .known), (derived, .derived)],
        ] {
            var binding = Binding(row: nil, derived: derived)
            for (id, strength) in order { binding.take(id, strength) }
            #expect(binding.profile == known)
            #expect(binding.losers == [derived])
            #expect(!binding.contested)
        }
    }

    @Test func aRowsDerivedIDLosesToo() {
        var binding = Binding(row: derived, derived: derived)
        binding.take(known, .known)
        #expect(binding.profile == known)
        #expect(binding.losers == [derived])
    }

    @Test func betweenTwoKnownOnesTheFirstStays() {
        var binding = Binding(row: known, derived: derived)
        binding.take(other, .known)
        #expect(binding.profile == known)
        #expect(binding.contested)
        #expect(binding.losers == [])
    }

    @Test func aFixedIDWinsOverAllAndMergesNobody() {
        var binding = Binding(row: known, derived: derived)
        binding.take(other, .fixed)
        #expect(binding.profile == other)
        #expect(binding.losers == [])
        binding.take(known, .known)
        #expect(binding.profile == other)
        #expect(binding.contested)
    }

    /// Any order of any number of requests, of which one kind was answered a known id, ends at that id.
    @Test(arguments: 0..<50)
    func anyOrderWithOneKnownIDEndsAtIt(seed: UInt64) {
        var random = SystemRandomNumberGenerator()
        var requests: [(UUID, Binding.Strength)] = (0..<Int.random(in: 0...5)).map { _ in (derived, .derived)
        }
        requests += (0..<Int.random(in: 1...5)).map { _ in (known, .known) }
        requests.shuffle(using: &random)
        let rows: [UUID?] = [nil, derived, known]
        for row in rows {
            var binding = Binding(row: row, derived: derived)
            for (id, strength) in requests { binding.take(id, strength) }
            #expect(binding.profile == known, "\(requests)")
            #expect(!binding.contested)
            #expect(Set(binding.losers).isSubset(of: [derived]))
            let wasAnswered = row == derived || requests.contains { $0.0 == derived }
            #expect(binding.losers.isEmpty == !wasAnswered)
        }
    }
}

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
