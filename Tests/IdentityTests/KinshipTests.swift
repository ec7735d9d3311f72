import Foundations
import TestSupport
import Testing

@testable import Identity

/// Who becomes one person, in whatever order it is learnt.
struct KinshipTests {
    private static func id(_ n: Int) -> UUID { UUID.people(UInt64(n)) }
    private static func at(_ n: Int) -> Timestamp { Timestamp(seconds: Int64(n)) }
    private static func key(_ kind: Int, _ n: Int) -> Kinship.Key { Kinship.Key(kind, Array("v\(n)".utf8)) }

    private static func kinship(_ several: [Bool] = [false, false, true]) -> Kinship {
        Kinship(facts: [:], owners: [:], several: several) { id(1000 + $0.kind * 100 + Int($0.value.count)) }
    }

    @Test func anAnonymousProfileBecomesKnownAndLaterOnesAreMerged() {
        var kinship = Self.kinship()
        #expect(kinship.show(Self.key(0, 1), by: Self.id(1), at: Self.at(1), canRebind: true) == .linked)
        #expect(kinship.show(Self.key(0, 1), by: Self.id(1), at: Self.at(2), canRebind: true) == .nothing)
        #expect(kinship.show(Self.key(0, 1), by: Self.id(2), at: Self.at(3), canRebind: true) == .merged)
        #expect(kinship.now(Self.id(2)) == Self.id(1))
        #expect(kinship.facts(of: Self.id(2)) == Kinship.Facts(kinds: [0], knownAt: Self.at(1)))
    }

    @Test func aProfileThatIsKnownByTheKindGoesOver() {
        var kinship = Self.kinship()
        _ = kinship.show(Self.key(0, 1), by: Self.id(1), at: Self.at(1), canRebind: true)
        _ = kinship.show(Self.key(0, 2), by: Self.id(2), at: Self.at(2), canRebind: true)
        #expect(
            kinship.show(Self.key(0, 2), by: Self.id(1), at: Self.at(3), canRebind: true)
                == .rebound(Self.id(2)))
        #expect(kinship.show(Self.key(0, 2), by: Self.id(1), at: Self.at(3), canRebind: false) == .conflict)
        #expect(kinship.merges.all.isEmpty)
    }

    @Test func anotherOneThatNobodyHasMakesAPersonUnlessOneMayHaveSeveral() {
        var kinship = Self.kinship()
        _ = kinship.show(Self.key(0, 1), by: Self.id(1), at: Self.at(1), canRebind: true)
        guard
            case .rebound(let made) = kinship.show(
                Self.key(0, 2), by: Self.id(1), at: Self.at(2), canRebind: true)
        else { return #expect(Bool(false), "not rebound") }
        #expect(
            made != Self.id(1) && kinship.owner(Self.key(0, 2)) == made && kinship.made.keys.contains(made))
        _ = kinship.show(Self.key(2, 1), by: Self.id(1), at: Self.at(1), canRebind: true)
        #expect(kinship.show(Self.key(2, 2), by: Self.id(1), at: Self.at(2), canRebind: true) == .linked)
    }

    @Test func aFixedProfileNeverLosesAndTwoAreNeverMerged() {
        let fixed = Kinship.Facts(isFixed: true)
        var kinship = Kinship(
            facts: [Self.id(8): fixed, Self.id(9): fixed], owners: [:], several: [false]
        ) { _ in Self.id(0) }
        _ = kinship.show(Self.key(0, 1), by: Self.id(1), at: Self.at(1), canRebind: true)
        #expect(kinship.show(Self.key(0, 1), by: Self.id(9), at: Self.at(2), canRebind: false) == .merged)
        #expect(kinship.now(Self.id(1)) == Self.id(9))
        #expect(kinship.show(Self.key(0, 1), by: Self.id(8), at: Self.at(2), canRebind: false) == .conflict)
    }

    @Test func aSessionsOwnProfileThatIsSomebodyElseIsNotMergedIntoTheAnsweredOne() {
        let known = Kinship.Facts(kinds: [0], knownAt: Self.at(1))
        var kinship = Kinship(
            facts: [Self.id(1): known, Self.id(2): known], owners: [:], several: [false]
        ) { _ in Self.id(0) }
        kinship.settle(Self.id(1), into: Self.id(2), at: Self.at(3))
        #expect(kinship.merges.all.isEmpty)
        kinship.settle(Self.id(3), into: Self.id(2), at: Self.at(3))
        #expect(kinship.now(Self.id(3)) == Self.id(2))
    }

    /// One evidence: a profile shows an identity at a moment.
    private struct Evidence {
        let profile: Int
        let key: Kinship.Key
        let at: Int
    }

    /// Every profile shows one of each kind at most, so nobody shares a device: then the order does not matter.
    @Test(arguments: 1...300)
    func everyOrderEndsAtTheSamePersons(seed: UInt64) {
        var random = SeededRandom(seed)
        let profiles = Int.random(in: 2...12, using: &random)
        var evidence: [Evidence] = []
        for profile in 0..<profiles {
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                let key = Self.key(2, Int.random(in: 0..<8, using: &random))
                evidence.append(
                    Evidence(profile: profile, key: key, at: Int.random(in: 1...50, using: &random)))
            }
        }
        // What nobody can show twice of a kind that one has several of is what everybody shows the first of.
        func partition(_ order: [Evidence], batches: Int, _ random: inout SeededRandom) -> Set<Set<Int>> {
            var world = World()
            var rest = order[...]
            while !rest.isEmpty {
                let count = min(rest.count, Int.random(in: 1...batches, using: &random))
                world.load(Array(rest.prefix(count)).map { (Self.id($0.profile), $0.key, Self.at($0.at)) })
                // A crash after the commit: the same batch comes again, or part of it.
                if random.chance(20) {
                    world.load(rest.prefix(count / 2).map { (Self.id($0.profile), $0.key, Self.at($0.at)) })
                }
                rest = rest.dropFirst(count)
            }
            return world.persons((0..<profiles).map(Self.id))
        }
        let distinct = Dictionary(evidence.map { (Pair(profile: $0.profile, key: $0.key), $0) }) { a, _ in a }
        // One of a kind for each profile: with several, the shared-device rule would come in.
        var single: [Evidence] = []
        for (pair, one) in distinct.sorted(by: { $0.value.at < $1.value.at })
        where !single.contains(where: { $0.profile == pair.profile }) { single.append(one) }
        var joined = single
        // Other kinds tie persons together.
        for profile in 0..<profiles where random.chance(60) {
            let key = Self.key(1, Int.random(in: 0..<4, using: &random))
            joined.append(Evidence(profile: profile, key: key, at: Int.random(in: 1...50, using: &random)))
        }
        let expected = components(joined, profiles)
        let isSimple = expected.isWithoutSharedDevices
        for _ in 0..<4 {
            let order = joined.shuffled(using: &random)
            let found = partition(order, batches: 4, &random)
            if isSimple { #expect(found == expected.persons, "seed \(seed)") }
        }
    }

    private struct Pair: Hashable {
        let profile: Int
        let key: Kinship.Key
    }

    /// What is connected at all; and whether no two of what is connected show different values of one kind.
    private func components(
        _ evidence: [Evidence], _ profiles: Int
    ) -> (persons: Set<Set<Int>>, isWithoutSharedDevices: Bool) {
        var group = Array(0..<profiles)
        func find(_ n: Int) -> Int { group[n] }
        for a in evidence {
            for b in evidence where a.key == b.key {
                let (x, y) = (find(a.profile), find(b.profile))
                if x != y { for i in group.indices where group[i] == y { group[i] = x } }
            }
        }
        var persons: [Int: Set<Int>] = [:]
        for i in 0..<profiles { persons[group[i], default: []].insert(i) }
        var values: [String: Set<Kinship.Key>] = [:]
        for one in evidence { values["\(group[one.profile]).\(one.key.kind)", default: []].insert(one.key) }
        return (Set(persons.values), values.values.allSatisfy { $0.count == 1 })
    }

    /// What the database keeps between two batches.
    private struct World {
        var facts: [UUID: Kinship.Facts] = [:]
        var owners: [Kinship.Key: UUID] = [:]
        var aliases: [UUID: UUID] = [:]

        func now(_ id: UUID) -> UUID {
            var id = id
            while let next = aliases[id] { id = next }
            return id
        }

        mutating func load(_ shown: [(id: UUID, key: Kinship.Key, at: Timestamp)]) {
            var kinship = Kinship(
                facts: facts, owners: owners.mapValues(now), several: [false, false, false]
            ) { _ in KinshipTests.id(99) }
            for one in shown { _ = kinship.show(one.key, by: now(one.id), at: one.at, canRebind: true) }
            for merge in kinship.merges.all { aliases[merge.loser] = merge.winner }
            for one in shown {
                owners[one.key] = kinship.owner(one.key)
                let person = kinship.now(now(one.id))
                facts[person] = kinship.facts(of: person)
            }
        }

        func persons(_ ids: [UUID]) -> Set<Set<Int>> {
            var found: [UUID: Set<Int>] = [:]
            for (i, id) in ids.enumerated() { found[now(id), default: []].insert(i) }
            return Set(found.values)
        }
    }

    @Test(arguments: 1...100)
    func whoSurvivesIsTheOneThatWasKnownFirstInEveryOrder(seed: UInt64) {
        var random = SeededRandom(seed)
        let count = Int.random(in: 2...10, using: &random)
        // All show the same identity, each at its own moment.
        let shown = (0..<count).map { (id: Self.id($0), key: Self.key(0, 1), at: Self.at($0 * 7 % 11 + 1)) }
        let first = shown.min { ($0.at, $0.id) < ($1.at, $1.id) }
        for _ in 0..<5 {
            var world = World()
            for one in shown.shuffled(using: &random) { world.load([one]) }
            #expect(Set(shown.map { world.now($0.id) }) == [first?.id], "seed \(seed)")
        }
    }
}
