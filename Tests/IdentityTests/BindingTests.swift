import Foundations
import TestSupport
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
        var random = SeededRandom(seed)
        let late = Int.random(in: 0...5, using: &random)
        var requests: [(UUID, Binding.Strength)] = (0..<late).map { _ in (derived, .derived) }
        requests += (0..<Int.random(in: 1...5, using: &random)).map { _ in (known, .known) }
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
