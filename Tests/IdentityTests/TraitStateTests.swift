import Foundations
import TestSupport
import Testing

@testable import Identity

/// Traits end at the same value in whatever order their events come.
struct TraitStateTests {
    typealias Operation = TraitMapping.Operation

    private static func change(_ operation: TraitMapping.Operation, _ value: String) -> TraitChange {
        TraitChange("t", operation, Array(value.utf8))
    }

    private static func stamp(_ n: Int) -> TraitState.Stamp {
        TraitState.Stamp(Timestamp(seconds: Int64(n)), UUID(high: 1, low: UInt64(n)))
    }

    private func value(_ changes: [(Operation, String, Int)]) -> String? {
        var state: TraitState?
        for (operation, value, at) in changes {
            let change = Self.change(operation, value)
            if state == nil {
                state = TraitState(change, Self.stamp(at), source: "s")
            } else {
                state?.apply(change, Self.stamp(at), source: "s")
            }
        }
        return state?.value.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func aLateOlderSetDoesNotOverwriteANewerOne() {
        #expect(value([(.set, "1", 5), (.set, "2", 3)]) == "1")
        #expect(value([(.set, "1", 5), (.unset, "null", 6), (.set, "2", 4)]) == nil)
        #expect(value([(.unset, "null", 6), (.set, "2", 7)]) == "2")
    }

    /// As the events of one request do that say no time: their ids have no order.
    @Test(arguments: [(Operation.set, "2"), (.setOnce, "1")])
    func ofTheSameInstantTheOrderOfArrivalDecides(_ operation: Operation, _ expected: String) throws {
        func stamp(_ id: UInt64) -> TraitState.Stamp {
            TraitState.Stamp(Timestamp(seconds: 1), UUID(high: 1, low: id))
        }
        for ids in [[1, 2], [2, 1]] as [[UInt64]] {
            var state = try #require(TraitState(Self.change(operation, "1"), stamp(ids[0]), source: "a"))
            state.apply(Self.change(operation, "2"), stamp(ids[1]), source: "b")
            #expect(state.value.map { String(decoding: $0, as: UTF8.self) } == expected)
            #expect(state.history.map(\.source) == ["b", "a"])
        }
    }

    @Test func setOnceKeepsTheEarliestAndASetGoesBeforeIt() {
        #expect(value([(.setOnce, "1", 5), (.setOnce, "2", 3), (.setOnce, "3", 9)]) == "2")
        #expect(value([(.setOnce, "1", 5), (.set, "2", 3)]) == "2")
        #expect(value([(.set, "2", 3), (.setOnce, "1", 5)]) == "2")
    }

    @Test func numbersAreExact() {
        #expect(
            value([(.increment, "0.1", 1), (.increment, "0.2", 2), (.increment, "9990.91", 3)]) == "9991.21")
        #expect(
            value([(.increment, "18446744073709551615", 1), (.increment, "1", 2)]) == "18446744073709551616")
        #expect(
            value([(.increment, "1e4000", 1), (.increment, "1e-4000", 2)])?.count == 4001,
            "no sum is too long")
        #expect(
            value([(.set, "\"text\"", 1), (.increment, "1", 2)]) == "\"text\"", "a text cannot be added to")
    }

    @Test func aListHasNoElementTwice() {
        #expect(
            value([(.append, "1", 1), (.append, "[2,1.0,\"a\"]", 2), (.append, "\"\\u0061\"", 3)])
                == "[1,2,\"a\"]")
        let many = (0..<150).map { (Operation.append, "\($0)", $0) }
        #expect(value(many)?.split(separator: ",").count == TraitState.mostElements)
    }

    @Test(arguments: [
        (TraitRule.Merge?.none, "2"), (.latest, "2"), (.first, "1"), (.union, "[1,2]"), (.sum, "3"),
    ])
    func aConflictIsDecidedByTheRule(_ rule: TraitRule.Merge?, _ expected: String) throws {
        let a = try #require(TraitState(Self.change(.set, "1"), Self.stamp(1), source: "a"))
        let b = try #require(TraitState(Self.change(.set, "2"), Self.stamp(2), source: "b"))
        for merged in [TraitState.merged(a, b, rule), TraitState.merged(b, a, rule)] {
            #expect(merged.value.map { String(decoding: $0, as: UTF8.self) } == expected)
            #expect(merged.history.map(\.source) == ["b", "a"])
        }
    }

    @Test func theLongestIsByCharacters() throws {
        let a = try #require(TraitState(Self.change(.set, #""ACME Limited""#), Self.stamp(1), source: "a"))
        let b = try #require(
            TraitState(Self.change(.set, #""\u00e9\u00e9\u00e9""#), Self.stamp(2), source: "b"))
        #expect(TraitState.merged(a, b, .longest).value == a.value)
        #expect(TraitState.merged(b, a, .longest).value == a.value)
    }

    /// Changes to several profiles, which are merged somewhere in between, end at the same value in every order.
    @Test(arguments: 1...300)
    func everyOrderOfChangesAndMergesEndsAtTheSameValue(seed: UInt64) {
        var random = SeededRandom(seed)
        let operations: [[Operation]] = [[.set, .unset], [.set, .setOnce], [.append], [.increment]]
        let allowed = operations[Int.random(in: 0..<operations.count, using: &random)]
        let changes = (0..<Int.random(in: 1...8, using: &random)).map { n in
            (
                allowed.randomElement(using: &random) ?? .set, "\(Int.random(in: 0..<5, using: &random))", n,
                Int.random(in: 0..<3, using: &random)
            )
        }
        var values: Set<[String]> = []
        for _ in 0..<6 {
            var states: [Int: TraitState] = [:]
            var home = [0, 1, 2]
            for (operation, value, at, profile) in changes.shuffled(using: &random) {
                let change = Self.change(operation, value)
                if states[home[profile]]?.apply(change, Self.stamp(at), source: "s") == nil {
                    states[home[profile]] = TraitState(change, Self.stamp(at), source: "s")
                }
                if random.chance(20) { merge(&states, &home, Int.random(in: 1...2, using: &random)) }
            }
            merge(&states, &home, 1)
            merge(&states, &home, 2)
            let text = states[0]?.value.map { String(decoding: $0, as: UTF8.self) } ?? "none"
            values.insert(text.split { "[],".contains($0) }.map(String.init).sorted())
        }
        #expect(values.count == 1, "seed \(seed): \(changes) → \(values)")
    }

    private func merge(_ states: inout [Int: TraitState], _ home: inout [Int], _ profile: Int) {
        guard home[profile] == profile else { return }
        home[profile] = 0
        guard let loser = states.removeValue(forKey: profile) else { return }
        states[0] = states[0].map { TraitState.merged($0, loser, nil) } ?? loser
    }
}
