import Foundations

/// What followed from an event.
extension Explainer {
    func verdict(_ event: Occurrence, _ conditions: [Explanation.Condition], _ key: String?) -> String {
        if let began = began(event, key) { return began }
        if let waits = held(event) { return waits }
        if let refused = Self.refusal(conditions) { return refused }
        guard let key else { return "the key \(rule.journey.key?.source ?? "") is unknown" }
        if event.received.microseconds - event.time.microseconds > rule.journey.startWithin {
            return "it was older than \(rule.journey.startWithin / 3_600_000_000) h when it arrived"
        }
        if rule.trigger.count > 1 {
            return "a part; the others did not come within the time, or were used up"
        }
        if let reason = rivalry(event, key) { return reason }
        return surmise(event, conditions)
    }

    /// The condition that is not true; one that looks at the event alone was then what it is now.
    static func refusal(_ conditions: [Explanation.Condition]) -> String? {
        let failed = conditions.filter { $0.result != "true" }
        return (failed.first { !$0.isAsOfNow } ?? failed.first).map {
            "\($0.text) is \($0.result)" + ($0.isAsOfNow ? ", as the profile is now" : "")
        }
    }

    /// Servers go by what was applied so many microseconds later at the latest.
    private static let spread: Int64 = 5_000_000

    /// What may have been the reason, where none is certain: only of the present is everything known.
    private func surmise(_ event: Occurrence, _ conditions: [Explanation.Condition]) -> String {
        let state = rule.state.rawValue
        var reasons: [String] = []
        if !rule.isCurrent {
            reasons.append("the journey is removed; what it was when the event came is not recorded")
        } else if let since, event.known < since {
            reasons.append(
                "the journey is \(state) since \(since.iso8601); what it was when the event came is not recorded"
            )
        } else if rule.state != .live, rule.state != .shadow {
            return "the journey was \(state) then"
        } else if let since, event.known < since.adding(microseconds: Self.spread) {
            reasons.append(
                "the journey is \(state) since \(since.iso8601), and servers hear of it within seconds")
        }
        let texts = conditions.filter(\.isAsOfNow).map(\.text)
        if !texts.isEmpty {
            reasons.append(
                "\(texts.joined(separator: ", ")) is true as the profile is now; it may not have been then")
        }
        return reasons.isEmpty ? "nothing that is kept says why" : reasons.joined(separator: "; or ")
    }

    /// Which enrolment of those that there were then stood in the way of another one, as `nextNumber` decides it.
    private func rivalry(_ event: Occurrence, _ key: String) -> String? {
        let earlier = mine.filter { $0.key == key && $0.enrolledAt <= event.known }.sorted { $0.n < $1.n }
        guard let last = earlier.last else { return nil }
        let reentry = rule.journey.reentry
        if reentry.mode == .once {
            return "re-entry once, and enrolment \(last.n) was there: \(Self.story(last))"
        }
        let running = earlier.last { one in one.endedAt.map { event.known <= $0 } ?? true }
        if reentry.mode != .always, let running {
            return "enrolment \(running.n) was running then: \(Self.story(running))"
        }
        if let most = reentry.most, last.n >= most {
            return "re-entry max \(most), and enrolment \(last.n) was there: \(Self.story(last))"
        }
        guard let every = reentry.every,
            let near = earlier.last(where: {
                abs(event.time.microseconds - $0.latestStart.microseconds) < every
            })
        else { return nil }
        return
            "re-entry every \(every.durationText), and enrolment \(near.n) began \(near.latestStart.iso8601)"
    }

    /// What it began or began anew; nil: nothing that is known of.
    private func began(_ event: Occurrence, _ key: String?) -> String? {
        for line in trace where line.event == event.id {
            switch line.kind {
            case "enrolled": return "enrolled: \(story(of: line.enrolment))"
            case "restarted": return "the time began anew: \(story(of: line.enrolment))"
            default: continue
            }
        }
        // The trace is forgotten after some time, and the entry behind the end; the moment stays.
        let began = mine.first { one in
            one.entry.map { $0.id == event.id }
                ?? (one.startedAt == event.time && one.key == key && !isTraced(one))
        }
        return began.map { "enrolled: \(Self.story($0))" }
    }

    /// What kept the journey from it.
    private func held(_ event: Occurrence) -> String? {
        let isParked = person.memory.parked.contains { parked in
            if parked.journey == rule.journey.name, case .event(let one) = parked.cause {
                return one.id == event.id
            }
            return false
        }
        if isParked { return "it waits for the decision of a timer that was due before" }
        let line = trace.first { $0.event == event.id && ["passed_by", "fault"].contains($0.kind) }
        return line.map { "it went by the journey: \($0.detail)" }
    }

    private func isTraced(_ enrolment: Enrolment) -> Bool {
        trace.contains { $0.kind == "enrolled" && $0.enrolment == enrolment.id }
    }

    /// Of one that is not there any more the trace knows the end.
    private func story(of id: UUID) -> String {
        if let one = mine.first(where: { $0.id == id }) { return Self.story(one) }
        let lines = trace.filter { $0.enrolment == id }
        if let dropped = lines.first(where: { $0.kind == "dropped" }) { return "dropped, \(dropped.detail)" }
        if let left = lines.first(where: { $0.kind == "left" }) { return "ended: \(left.detail)" }
        return "it is not kept any more"
    }

    /// Where an enrolment stands, in a sentence.
    static func story(_ enrolment: Enrolment) -> String {
        switch enrolment.phase {
        case .awaiting: "waits until \(enrolment.due?.iso8601 ?? "its timer is decided")"
        case .waiting:
            "waits in step \(enrolment.step) until \(enrolment.due?.iso8601 ?? "its timer is decided")"
        case .held: "held until \(enrolment.due?.iso8601 ?? "its hours")"
        case .ended: "ended: \(enrolment.reason ?? "done")"
        }
    }
}
