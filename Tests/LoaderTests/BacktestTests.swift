import Enrolments
import Foundations
import Identity
import Journeys
import Logging
import Payload
import Postgres
import TestSupport
import Testing
import Webhooks

@testable import Loader

/// Random lives, loaded by real servers: a backtest of what is stored comes to the same fires as the live run.
///
/// Events come late, early, repeated, without a person and by way of two servers, one of which lags behind; timers are
/// looked at when it happens to be their turn.
@Suite(.serialized) struct BacktestTests {
    @Test(arguments: 1...2 as ClosedRange<UInt64>)
    func twoServersComeToWhatABacktestComesTo(seed: UInt64) throws {
        try Life(seed, servers: 2, merging: false).run()
    }

    /// Two of a person's profiles become one on the way.
    @Test(arguments: 11...12 as ClosedRange<UInt64>)
    func aMergedPersonComesToWhatABacktestComesTo(seed: UInt64) throws {
        try Life(seed, servers: 1, merging: true).run()
    }
}

/// Some people's events of ten minutes, as they arrive.
private final class Life {
    private static let definitions = """
        webhooks: {feed: {url: https://x.example}}
        segments:
          busy: {where: 'did("view", "2m") >= 3'}
          quiet: {where: 'did("view") > 0 && did("view", "3m") == 0'}
        scores:
          heat:
            window: 4m
            rules:
              - {did: view, points: 1, cap: 3}
              - {did: add, where: 'n >= 2', points: 2}
            bands: {hot: 5, warm: 3}
        journeys:
          cart:
            state: live
            on: {did: add}
            key: cart
            reentry: per_key
            unless: {did: buy, where: 'cart == entry.cart', within: 1m, grace: 5s}
            do: [{webhook: feed}, {wait: 1m, until: {did: buy}, then: exit}, {webhook: feed}]
          again:
            state: live
            on: {did: add, where: 'n >= 2'}
            key: cart
            reentry: per_key
            unless: {did: [buy, leave], within: 90s, lookback: 20s, restart: true}
            do: [{webhook: feed}]
          both:
            state: live
            on: {all: [{did: view}, {did: add}], within: 1m}
            reentry: {mode: after_exit, every: 30s}
            do: [{wait: 15s}, {webhook: feed}]
          order:
            state: live
            on: {seq: [{did: view}, {did: add}, {did: buy}], within: 3m}
            do: [{webhook: feed}]
          enters_busy:
            state: live
            on: {segment: busy, enters: true}
            do: [{webhook: feed}]
          goes_quiet:
            state: live
            on: {segment: quiet, enters: true}
            do: [{wait: 30s}, {split: [{if: 'did("buy", "5m") == 0', do: [{webhook: feed}]}]}]
          gets_hot:
            state: live
            on: {score: heat, enters: [hot]}
            do: [{wait: 40s}, {split: [{if: 'score.heat.points >= 4', do: [{webhook: feed}]}]}]
          looks_back:
            state: live
            on: {did: buy}
            who: 'did("note", "4m") >= 1 && attr.company == "gold"'
            reentry: {mode: cooldown, every: 50s}
            do: [{webhook: feed}]
          capped:
            state: live
            on: {did: view}
            reentry: always
            cap: {max: 2, per: 1m}
            exit: {did: leave}
            do: [{wait: 20s}, {webhook: feed}]
          held_out:
            state: live
            on: {did: note}
            control: 30%
            reentry: {mode: after_exit, max: 3}
            do: [{ab: [{share: 50%, do: [{wait: 10s}]}]}, {webhook: feed}]
        """

    private struct Arrival {
        var server: Int
        var at: Int
        var requests: [TestRequest]
        /// It may tell that two profiles are one.
        var isMerger = false
    }

    private let seed: UInt64
    private var random: SeededRandom
    private let towns: [Town]
    private let connection: Connection
    private let step: JourneyStep
    private let folder: DefinitionFolder
    private let base: Timestamp
    private var arrivals: [[Arrival]]
    private let isMerging: Bool

    init(_ seed: UInt64, servers: Int, merging: Bool) throws {
        (self.seed, random, isMerging) = (seed, SeededRandom(seed), merging)
        let first = try Town()
        towns = try [first] + (1..<servers).map { _ in try Town(first.database) }
        connection = try Connection(first.database.conninfo, name: "test")
        folder = DefinitionFolder(texts: [("life", Self.definitions)])
        try #require(folder.mistakes.isEmpty, "\(folder.mistakes)")
        let now = Clock.system.now()
        // Arrival times never go back: all of it is ahead.
        base = Timestamp(microseconds: now.microseconds / 1_000_000 * 1_000_000).adding(seconds: 3600)
        let set = DefinitionSet(folder, webhooks: [WebhookDefinition(name: "feed", url: "https://x.example")])
        _ = try DefinitionStore.apply(set, at: base.adding(seconds: -300), connection)
        let setting = RulesInForce.Setting(Configuration())
        step = JourneyStep(RulesInForce(setting), identity: .none, metrics: IdentityMetrics())
        try step.read(setting, connection, Logger(label: "test"))
        arrivals = [[Arrival]](repeating: [], count: servers)
        arrivals = spread(lives())
    }

    private func at(_ tenths: Int) -> Timestamp { base.adding(microseconds: Int64(tenths) * 100_000) }

    // MARK: What happens

    private static let people = 5

    /// Requests by the tenth of a second in which they arrive.
    private func lives() -> [(at: Int, request: TestRequest)] {
        var all: [(at: Int, request: TestRequest)] = []
        for person in 0..<Self.people {
            let company = person % 2 == 0 ? "gold" : "blue"
            for session in sessions(of: person) {
                all.append((-300, request(session, "hello", at: -300, ["company": "\"\(company)\""])))
            }
            for _ in 0..<22 { all += event(of: person) }
        }
        return all.sorted { $0.at < $1.at }
    }

    private func sessions(of person: Int) -> [String] {
        isMerging ? ["p\(person)a", "p\(person)b"] : ["p\(person)a"]
    }

    private func event(of person: Int) -> [(at: Int, request: TestRequest)] {
        let time = Int.random(in: 0..<5000, using: &random)
        let delay = [0, 0, 1, 20, 300, 1500, -100].randomElement(using: &random) ?? 0
        let received = max(time + delay, 0)
        let activity =
            ["view", "view", "view", "add", "add", "buy", "note", "leave"]
            .randomElement(using: &random) ?? "view"
        var properties = [
            "cart": "\"c\(Int.random(in: 0..<2, using: &random))\"",
            "n": "\(Int.random(in: 1...3, using: &random))",
        ]
        if random.chance(6) {
            properties["voucher_id"] = "\"v\(person)-\(Int.random(in: 0..<3, using: &random))\""
        }
        if isMerging, random.chance(8) { properties["email"] = "\"p\(person)@x.example\"" }
        var session = sessions(of: person).randomElement(using: &random)
        if properties["voucher_id"] != nil, random.chance(60) { session = nil }
        var sent = request(session, activity, at: time, properties)
        guard random.chance(10) else { return [(received, sent)] }
        // The same once more, later.
        sent.events[0].clientID = Array("\(UUID.random())".utf8)
        var again = sent
        again.events[0].id = .random()
        return [(received, sent), (received + Int.random(in: 0..<600, using: &random), again)]
    }

    private func request(_ session: String?, _ activity: String, at time: Int, _ properties: [String: String])
        -> TestRequest
    {
        let json = properties.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
        return towns[0].request(
            session,
            [
                TestEvent {
                    $0.activity = Array(activity.utf8)
                    $0.label = Array(activity.utf8)
                    $0.said = at(time)
                    $0.properties = Array("{\(json.joined(separator: ","))}".utf8)
                }
            ])
    }

    /// By server; some arrive together.
    private func spread(_ requests: [(at: Int, request: TestRequest)]) -> [[Arrival]] {
        var arrivals = [[Arrival]](repeating: [], count: towns.count)
        for (at, request) in requests {
            let server = Int.random(in: 0..<towns.count, using: &random)
            let isMerger =
                isMerging
                && request.events.contains { event in
                    let text = String(decoding: event.properties, as: UTF8.self)
                    return text.contains("email") || text.contains("voucher_id")
                }
            if !isMerger, let last = arrivals[server].indices.last, arrivals[server][last].requests.count < 4,
                !arrivals[server][last].isMerger, at - arrivals[server][last].at < 15
            {
                arrivals[server][last].requests.append(request)
                arrivals[server][last].at = at
            } else {
                arrivals[server].append(
                    Arrival(server: server, at: at, requests: [request], isMerger: isMerger))
            }
        }
        return arrivals
    }

    // MARK: The live run

    func run() throws {
        while let server = nextServer() {
            let isMerger = isMerging && arrivals[server][0].isMerger
            // Of what two profiles wait for nothing may be decided later than their merge.
            if isMerger { try decide() }
            for _ in 0..<Int.random(in: 2...5, using: &random) {
                guard let arrival = arrivals[server].first, isMerger || !isMerging || !arrival.isMerger else {
                    break
                }
                arrivals[server].removeFirst()
                try towns[server].node.write(arrival.requests, at: at(arrival.at))
                if isMerger { break }
            }
            if isMerging || random.chance(40) { for town in towns { try town.node.drain() } }
            if random.chance(25) { try decide() }
        }
        try decide()
        for town in towns { try town.node.stop() }
        try compare()
    }

    /// Most of the time the one that is behind goes on.
    private func nextServer() -> Int? {
        let going = arrivals.indices.filter { !arrivals[$0].isEmpty }
        let behind = going.min { arrivals[$0][0].at < arrivals[$1][0].at }
        return random.chance(70) ? behind : going.randomElement(using: &random)
    }

    /// Decides what is due by now: nothing that was received before is to come.
    private func decide() throws {
        for town in towns { try town.node.drain() }
        while try AttachedEvents.step(limit: 3, with: step, at: at(0), connection).count > 0 {}
        let next = arrivals.compactMap(\.first?.at).min() ?? 50_000
        let horizon = at(next).adding(microseconds: -1)
        for _ in 0..<1000 {
            let due = try DueTimers.find(until: horizon, limit: 200, connection)
            if due.isEmpty { return }
            _ = try DueTimers.decide(due, with: step, at: horizon, connection)
        }
        throw Failure("timers that stay due")
    }

    // MARK: The backtest

    private func compare() throws {
        let events = try towns[0].database.count("select count(*) from event where step is not null")
        #expect(events == (try towns[0].database.count("select count(*) from event")))
        var fires = 0
        for journey in folder.journeys {
            let backtest = Backtest(
                journey, segments: folder.segments, scores: folder.scores, zone: .utc,
                since: base.adding(seconds: -600), now: base.adding(seconds: 6000))
            let result = try backtest.run(connection)
            let mine = result.fires.map { line($0.at, "\($0.subject)", $0.webhook, $0.event.map { "\($0)" }) }
            let rows = try connection.execute(
                """
                select at, person_of(subject)::text, detail, event_id::text from decision
                where journey = $1 and kind = 'fired'
                """, journey.name)
            let live = (0..<rows.count).map {
                line(rows.timestamp($0, 0), rows.string($0, 1), rows.string($0, 2), rows.stringOrNil($0, 3))
            }
            let (more, less) = (Set(mine).subtracting(live).sorted(), Set(live).subtracting(mine).sorted())
            let story = try (more + less).first.map { try self.story(of: $0, journey.name) } ?? ""
            #expect(
                more.isEmpty && less.isEmpty,
                "\(seed) \(journey.name): backtest \(more), live \(less)\n\(story)")
            #expect(mine.count == live.count, "\(seed) \(journey.name)")
            #expect(result.onlyLive.isEmpty && result.onlyBacktest.isEmpty)
            fires += mine.count
        }
        #expect(fires > 30, "\(fires)")
    }

    /// What a person did, in the order of the steps, and what came of it live.
    private func story(of line: String, _ journey: String) throws -> String {
        let person = line.split(separator: " ")[1]
        let rows = try towns[0].database.rows(
            """
            select concat_ws(' ', step, what) from (
                select step, concat_ws(' ', extract(epoch from received_at - $1::timestamptz),
                    extract(epoch from time - $1::timestamptz), activity, properties, right(id::text, 6),
                    right(profile_id::text, 6), 'seen ' || extract(epoch from seen_at - $1::timestamptz)) as what
                from event where right(coalesce(person_of(profile_id), id)::text, 6) = $2
                union all
                select step, concat_ws(' ', 'merged', id, merged_into) from alias
                where right(person_of(id)::text, 6) = $2
                union all
                select null, concat_ws(' ', extract(epoch from at - $1::timestamptz), kind, detail,
                    right(event_id::text, 6), right(enrolment::text, 6))
                from decision where journey = $3 and right(person_of(subject)::text, 6) = $2) as q order by step, what
            """, base.iso8601, String(person), journey)
        return rows.compactMap { $0[0] }.joined(separator: "\n")
    }

    private func line(_ at: Timestamp, _ subject: String, _ webhook: String, _ event: String?) -> String {
        "\(Double(at.microseconds - base.microseconds) / 1e6) \(subject.suffix(6)) \(webhook) \(event?.suffix(6) ?? "")"
    }
}
