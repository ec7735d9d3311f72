import Foundations
import Journeys

/// A server that was silent for so long that timers are decided without it: what it has received since it was last
/// loaded may be evidence that comes too late.
package struct AbsentServer: Sendable, Equatable {
    /// For people: host and instance.
    let name: String
    let loadedUntil: Timestamp
    let silentSince: Timestamp

    package init(name: String, loadedUntil: Timestamp, silentSince: Timestamp) {
        (self.name, self.loadedUntil, self.silentSince) = (name, loadedUntil, silentSince)
    }
}

extension [AbsentServer] {
    /// The line of the trace for a timer that some of them may have had evidence for; nil: none of them can have.
    func decision(on timer: Enrolment, due: Timestamp) -> Decision? {
        let missed = filter { $0.loadedUntil < due }
        if missed.isEmpty { return nil }
        let names = missed.map { "\($0.name), silent since \($0.silentSince.iso8601)" }
        return Decision(
            kind: .unwaited, journey: timer.journey, version: timer.version, enrolment: timer.id,
            subject: timer.subject, at: due,
            detail: "the timer was decided without \(names.joined(separator: "; "))", event: timer.entry?.id)
    }
}
