import Foundations
import Payload

/// What the engine takes for the events of scenarios, with all journeys of a folder in force at once, as a server has
/// them. The database has no part in it.
package struct EngineTiming {
    package struct Figure: Sendable, Equatable {
        package let what: String
        package fileprivate(set) var count = 0
        fileprivate var total: UInt64 = 0

        package var nanoseconds: Double { count > 0 ? Double(total) / Double(count) : 0 }

        fileprivate mutating func add(_ count: Int, took: UInt64) {
            self.count += count
            total += took
        }
    }

    package private(set) var unheard = Figure(what: "an event that nobody listens to")
    package private(set) var unmet = Figure(what: "an event for which no condition is met")
    package private(set) var idle = Figure(what: "a person stepped, and nothing comes of it")
    package private(set) var effective = Figure(what: "a person stepped, and something does")

    private let engine: Engine
    private let stories: [[(subject: Subject, event: Occurrence)]]
    private let clock: () -> UInt64

    /// - Parameter clock: Nanoseconds from any moment.
    package init(_ folder: DefinitionFolder, zone: Zone, clock: @escaping () -> UInt64) {
        let journeys = folder.journeys.map { journey in
            var journey = journey
            journey.state = .live
            return journey
        }
        engine = Engine(
            Rulebook(journeys: journeys, segments: folder.segments, scores: folder.scores, zone: zone))
        stories = folder.scenarios.map(Self.story)
        self.clock = clock
    }

    package mutating func run(rounds: Int) {
        let sieve = Sieve(engine)
        let events = stories.joined().map(\.event)
        let strange = events.map { Array(($0.activity + " or not").utf8) }
        let foreign = events.filter { sieve.concern($0) != .start }
        for _ in 0..<rounds {
            var begin = clock()
            for name in strange where name.withUnsafeBytes({ engine.listens(to: $0) }) { return }
            unheard.add(strange.count, took: clock() - begin)
            begin = clock()
            for event in foreign where sieve.concern(event) == .start { return }
            unmet.add(foreign.count, took: clock() - begin)
            for story in stories { step(story, sieve) }
        }
    }

    private mutating func step(_ story: [(subject: Subject, event: Occurrence)], _ sieve: Sieve) {
        var persons: [Subject: Person] = [:]
        var histories: [Subject: Remembrance] = [:]
        for (subject, event) in story {
            histories[subject, default: Remembrance()].add(event)
            guard sieve.concern(event) != .nothing, let history = histories[subject] else { continue }
            var person = persons[subject] ?? Person(subject)
            let begin = clock()
            let effects = engine.step(&person, .event(event), history: history)
            let took = clock() - begin
            persons[subject] = person
            if effects.isEmpty { idle.add(1, took: took) } else { effective.add(1, took: took) }
        }
    }

    private static func story(_ scenario: Scenario) -> [(subject: Subject, event: Occurrence)] {
        let start = scenario.start ?? Timestamp(seconds: 0)
        let space = UUID(high: 0x51d0_77c4_2b9a_5e03, low: 0x8f16_a3d2_40b7_9c5e)
        return scenario.events.enumerated().map { i, event in
            let id = NameBasedID.make(space, "event \(i)")
            let occurrence = Occurrence(
                id: id, activity: activityKey(event.label) ?? event.label, label: event.label,
                source: event.source, time: start.adding(microseconds: event.at),
                received: start.adding(microseconds: event.arrives), properties: event.properties)
            let profile = event.profile.map { Subject.profile(NameBasedID.make(space, $0)) }
            return (profile ?? .event(id), occurrence)
        }.sorted { $0.event.received < $1.event.received }
    }
}
