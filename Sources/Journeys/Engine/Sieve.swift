import Foundations

/// Looks at events before their persons are loaded: most events mean nothing to anybody, and cost a look at their
/// activity; of the others, the conditions are tried that look only at the event's own properties.
///
/// It may say too much, never too little. What it needs is kept from one event to the next, so that a look allocates
/// nothing.
package final class Sieve {
    /// What decides over the events of an activity.
    struct Test: Sendable {
        /// Something may start whatever the properties are, or is counted.
        var isOpen = false
        /// One of them must be true for something to start.
        var conditions: [Node] = []
        /// It may mean something to those who have an enrolment.
        var isFollowed = false
        var asksForTheEvent = false
    }

    private let rules: Rulebook
    private let reading = Reading()
    private let facts: Facts

    package init(_ engine: Engine) {
        rules = engine.rules
        facts = Facts(
            event: reading, entry: nil, attributes: nil, now: Timestamp(microseconds: 0),
            time: Timestamp(microseconds: 0), zone: rules.zone, history: NoHistory(), segments: { _ in nil },
            score: { _ in nil })
    }

    /// - Parameter occurrence: Asked for only where a condition wants to know more than the properties.
    package func concern(
        of activity: Bytes, properties: Bytes, time: Timestamp, received: Timestamp,
        _ occurrence: () -> Occurrence
    ) -> Engine.Concern {
        guard let test = rules.listeners(to: activity)?.test else { return .nothing }
        if test.isOpen { return .start }
        if !test.conditions.isEmpty {
            reading.look(at: properties)
            if test.asksForTheEvent { reading.occurrence = occurrence() }
            (facts.now, facts.time) = (received, time)
            let evaluator = Evaluator(facts: facts)
            for condition in test.conditions where evaluator.flag(condition) == true { return .start }
        }
        return test.isFollowed ? .running : .nothing
    }

    package func concern(_ occurrence: Occurrence) -> Engine.Concern {
        var activity = occurrence.activity
        return activity.withUTF8 { activity in
            occurrence.properties.withUnsafeBytes { properties in
                concern(
                    of: Bytes(activity), properties: properties, time: occurrence.time,
                    received: occurrence.received
                ) { occurrence }
            }
        }
    }
}

extension Sieve.Test {
    init(_ listeners: Rulebook.Listeners) {
        isOpen = !listeners.scores.isEmpty || !listeners.reviewed.isEmpty
        var known: Set<String> = []
        for interest in listeners.interests {
            if !interest.follow.isEmpty { isFollowed = true }
            guard interest.start != nil else { continue }
            guard let tests = interest.tests else {
                isOpen = true
                continue
            }
            for test in tests where known.insert(test.source).inserted {
                conditions.append(test.root)
                if test.root.kind.asksForTheEvent { asksForTheEvent = true }
            }
        }
    }
}

extension Expression {
    /// No attribute, history, segment or score, and not the entry.
    var looksOnlyAtTheEvent: Bool {
        mentions.allSatisfy { $0.kind == .property || $0.kind == .now || $0.kind == .hour }
    }
}
