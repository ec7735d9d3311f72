import Foundations
import Journeys
import Postgres
import TestSupport
import Testing

@testable import Enrolments

/// What journeys did live, and what a simulation of the same events does.
@Suite struct BacktestTests {
    private struct Arrival {
        let event: JourneyStep.Event
        let at: Double
    }

    /// Carts of some people: late, early and repeated events, in the order in which they arrive.
    private static func history(_ seed: UInt64) -> [Arrival] {
        var random = SeededRandom(seed)
        var arrivals: [Arrival] = []
        for _ in 0..<40 {
            let name = "p\(Int.random(in: 0..<3, using: &random))"
            let label =
                ["add to cart", "checkout", "checkout", "view"].randomElement(using: &random) ?? "view"
            let json = #"{"cart":"\#(Int.random(in: 0..<3, using: &random))"}"#
            let at = Double(Int.random(in: 0..<400, using: &random))
            let late = random.chance(50) ? 0 : Double(Int.random(in: 0..<120, using: &random))
            let id = NameBasedID.make(UUID(high: 3, low: 4), "\(arrivals.count) \(seed)")
            let occurrence = Occurrence(
                id: id, activity: activityKey(label) ?? label, label: label, source: "shop",
                time: Town.at(at), received: Town.at(at + late), properties: Array(json.utf8))
            let event = JourneyStep.Event(occurrence, profile: Town.profile(name))
            arrivals.append(Arrival(event: event, at: at + late))
        }
        return arrivals.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(
            \.element)
    }

    /// Live, timers are looked at when it happens to be their turn; that changes nothing.
    @Test(arguments: 1...15 as ClosedRange<UInt64>)
    func theLiveRunFiresWhatTheSimulationFires(seed: UInt64) throws {
        let town = try Town(EnrolmentsTests.cart)
        try town.database.run("create table event_all partition of event default")
        var random = SeededRandom(seed &+ 100)
        let history = Self.history(seed)
        var simulation = Simulation(town.step.rules.engine)
        for arrival in history {
            guard let profile = arrival.event.profile else { continue }
            simulation.take(arrival.event.occurrence, of: .profile(profile))
            try town.does([arrival.event], at: arrival.at)
            try town.store(arrival.event)
            if Int.random(in: 0..<3, using: &random) == 0 { try town.fire(until: arrival.at - 1) }
        }
        simulation.finish()
        while try DueTimers.find(until: Town.at(2000), limit: 1, town.connection).count > 0 {
            try town.fire(until: 2000)
        }
        let live = try town.database.rows(
            "select enrolment, (extract(epoch from at) * 1000000)::bigint from decision where kind = 'fired'"
        ).map { "\($0[0] ?? "") \($0[1] ?? "")" }
        let simulated = simulation.decisions.filter { $0.kind == .fired }
            .map { "\($0.enrolment) \($0.at.microseconds)" }
        #expect(live.sorted() == simulated.sorted())
        #expect(!simulated.isEmpty)
    }

    /// A pause makes the moment new from which on it is in force; what it fired before is fired all the same.
    @Test func whatFiredBeforeAPauseIsNotSaidToHaveBeenNothing() throws {
        let journey = "j:\n  state: live\n  on: {did: a}\n  do: [{webhook: feed}]"
        let town = try Town(journey)
        try town.database.run("create table event_all partition of event default")
        func notes() throws -> [String] {
            let backtest = Backtest(
                try town.set(journey).journeys[0], segments: [], scores: [], zone: .utc, since: Town.at(-100),
                now: Town.at(100))
            return try backtest.run(town.connection).notes.filter { $0.contains("in force") }
        }
        #expect(
            try notes() == [
                "the live version is in force since \(Town.at(0).iso8601): it fired nothing before"
            ])
        try town.does("a", at: 10)
        try town.apply(journey, at: 20)
        #expect(
            try notes() == [
                "the live version is in force since \(Town.at(0).iso8601): it fired nothing before"
            ])
        try town.apply(journey.replacing("live", with: "paused"), at: 30)
        try town.apply(journey, at: 40)
        #expect(try notes() == [])
    }
}

extension Town {
    /// As the loader does, behind the step.
    func store(_ event: JourneyStep.Event) throws {
        let occurrence = event.occurrence
        try connection.execute(
            """
            insert into event (bucket, id, received_at, time, activity, label, source, profile_id, properties)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb)
            """, (event.profile ?? occurrence.id).bucket, occurrence.id, occurrence.received, occurrence.time,
            occurrence.activity, occurrence.label, occurrence.source, event.profile,
            String(decoding: occurrence.properties, as: UTF8.self))
    }
}
