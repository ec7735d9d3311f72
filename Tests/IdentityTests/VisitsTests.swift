import Foundations
import TestSupport
import Testing

@testable import Identity

/// Visits do not depend on the order in which events come, nor on when silence was looked for.
struct VisitsTests {
    static let silence: Int64 = 30

    static func time(_ microseconds: Int) -> Timestamp { Timestamp(microseconds: Int64(microseconds)) }

    static func run(_ times: [(at: Int, page: String?)]) -> VisitRun {
        var run: VisitRun?
        for (at, page) in times {
            let seen = page.map { VisitRun.Sighting(at: time(at), page: $0) }
            let one = VisitRun(at: time(at), entry: seen, exit: seen)
            if run == nil { run = one } else { run?.merge(one) }
        }
        return run ?? VisitRun(at: time(0), events: 0)
    }

    private func visits(_ taken: [Int], until: Int? = nil) -> Visits {
        var visits = Visits(silence: Self.silence)
        for at in taken { visits.take(Self.run([(at, nil)])) }
        if let until { visits.end(until: Self.time(until)) }
        return visits
    }

    private func spans(_ visits: Visits) -> [[Int]] {
        visits.live.map { [$0.number, Int($0.run.first.microseconds), Int($0.run.last.microseconds)] }
    }

    @Test(arguments: [
        ([0], [[1, 0, 0]]),
        ([0, 29, 58], [[1, 0, 58]]),
        ([0, 30], [[1, 0, 0], [2, 30, 30]]),
        ([30, 0], [[1, 30, 30], [2, 0, 0]]),
        ([0, 40, 20], [[1, 0, 40]]),
        ([40, 0, 20], [[1, 0, 40]]),
        ([100, 0, 80, 25], [[1, 80, 100], [2, 0, 25]]),
        ([0, 100, 50, 25, 75], [[1, 0, 100]]),
    ])
    func eventsFallIntoVisits(times: [Int], expected: [[Int]]) {
        #expect(spans(visits(times)) == expected)
    }

    @Test func aNumberIsNeverGivenTwice() {
        var visits = visits([0, 40, 20])
        visits.take(Self.run([(200, nil)]))
        #expect(spans(visits) == [[1, 0, 40], [3, 200, 200]])
    }

    @Test func silenceEndsAVisitAndALateEventReopensIt() {
        var visits = visits([0, 10], until: 39)
        #expect(visits.live.map(\.hasEnded) == [false])
        visits.end(until: Self.time(40))
        #expect(visits.live.map(\.hasEnded) == [true])
        visits.take(Self.run([(39, nil)]))
        #expect(visits.live.map(\.hasEnded) == [false])
        visits.end(until: Self.time(69))
        #expect(visits.live.map(\.hasEnded) == [true])
    }

    @Test func pagesAreTheFirstAndTheLastWhateverTheOrder() {
        var visits = Visits(silence: Self.silence)
        for event in [(20, "c"), (5, nil), (10, "b"), (25, nil), (10, "a")] as [(Int, String?)] {
            visits.take(Self.run([event]))
        }
        #expect(visits.live.map(\.run.entry?.page) == ["a"])
        #expect(visits.live.map(\.run.exit?.page) == ["c"])
        #expect(visits.live.map(\.run.events) == [5])
    }

    /// In any order, in batches of any size, looked at at any moment, with transactions that are rolled back and
    /// tried again: the same visits, each with one start and one end, at the same times.
    @Test(arguments: 1...400)
    func anyOrderEndsInTheSameVisits(seed: UInt64) {
        var random = SeededRandom(seed)
        let count = Int.random(in: 1...40, using: &random)
        let spread = [60, 300, 1000, 4000].randomElement(using: &random) ?? 60
        let events = (0..<count).map { i in
            (
                at: Int.random(in: 0..<spread, using: &random),
                page: random.chance(60) ? "p\(i % 5)" : nil as String?
            )
        }
        var left = events.shuffled(using: &random)
        var table = VisitTable()
        while !left.isEmpty {
            let batch = Array(left.prefix(Int.random(in: 1...6, using: &random)))
            var attempt = table
            attempt.store(batch)
            // A transaction that was rolled back leaves nothing, and is tried again.
            if random.chance(20) { continue }
            table = attempt
            left.removeFirst(batch.count)
            if random.chance(40) { table.end(until: Int.random(in: 0..<spread + 100, using: &random)) }
        }
        table.end(until: spread + 1000)
        let expected = VisitTable.expected(events)
        let found = table.rows.values.filter { $0.joined == nil }.map(\.run).sorted { $0.first < $1.first }
        #expect(found == expected, "seed \(seed)")
        #expect(table.starts.values.sorted() == expected.map(\.first), "seed \(seed)")
        #expect(table.ends.values.sorted() == expected.map(\.last), "seed \(seed)")
        #expect(Set(table.starts.keys) == Set(table.ends.keys), "seed \(seed)")
        #expect(table.rows.values.filter(\.isLast).map(\.run.last) == expected.suffix(1).map(\.last))
        #expect(table.faults == [], "seed \(seed)")
    }
}

/// The tables `visit` and `event` as the statements treat them, in memory.
private struct VisitTable {
    struct Row {
        var run: VisitRun
        var hasEnded: Bool
        var joined: Int?
        var isLast: Bool
    }

    var rows: [Int: Row] = [:]
    var starts: [Int: Timestamp] = [:]
    var ends: [Int: Timestamp] = [:]
    var faults: [String] = []

    private func visits(_ matters: (Row) -> Bool) -> Visits {
        let stored = rows.filter { $0.value.joined == nil && ($0.value.isLast || matters($0.value)) }
            .map { Visits.Visit(stored: $0.key, $0.value.run, hasEnded: $0.value.hasEnded) }
        return Visits(silence: VisitsTests.silence, stored: stored, given: rows.keys.max() ?? 0)
    }

    mutating func store(_ batch: [(at: Int, page: String?)]) {
        let sorted = batch.sorted { $0.at < $1.at }
        let times = sorted.map { VisitsTests.time($0.at) }
        let (low, high) = (times[0].microseconds, times[times.count - 1].microseconds)
        let silence = VisitsTests.silence
        // Only what `VisitStore.read` would give.
        var visits = visits {
            $0.run.last.microseconds > low - silence && $0.run.first.microseconds < high + silence
        }
        for range in VisitRun.split(times, silence: silence) {
            visits.take(VisitsTests.run(Array(sorted[range])))
        }
        write(visits)
    }

    mutating func end(until: Int) {
        var visits = visits { _ in true }
        visits.end(until: VisitsTests.time(until))
        write(visits)
    }

    private mutating func write(_ visits: Visits) {
        for visit in visits.all where !visit.isNothing {
            let (number, first, last) = (visit.number, visit.run.first, visit.run.last)
            if visit.startsAnew {
                if starts[number] != nil { faults.append("\(number) starts twice") }
                starts[number] = first
            }
            if visit.startMoves { starts[number] = first }
            if visit.startGoes, starts.removeValue(forKey: number) == nil {
                faults.append("no start \(number)")
            }
            if visit.endGoes, ends.removeValue(forKey: number) == nil { faults.append("no end \(number)") }
            if visit.hasEnded, rows[number]?.hasEnded != true {
                if ends[number] != nil { faults.append("\(number) ends twice") }
                ends[number] = last
            }
            rows[number] = Row(
                run: visit.run, hasEnded: visit.hasEnded, joined: visit.joined,
                isLast: visit.number == visits.latest?.number)
        }
    }

    static func expected(_ events: [(at: Int, page: String?)]) -> [VisitRun] {
        let sorted = events.sorted { $0.at < $1.at }
        let times = sorted.map { VisitsTests.time($0.at) }
        return VisitRun.split(times, silence: VisitsTests.silence)
            .map { VisitsTests.run(Array(sorted[$0])) }
    }
}
