import Foundations
import Identity
import Journeys
import Postgres

extension JourneyStep {
    /// Something to be done to a subject.
    struct Step {
        let subject: Subject
        var input: Input
        /// Of an event: where it stands in its transaction.
        var place: Int?
        /// Of what a journey was kept from: where its event stands.
        var behind: Int?
        /// Of an event: what it made of its person's attributes.
        var traits: [TraitTurn] = []
        /// Others may look back at it.
        var isRemembered = true
        var isOnlyRemembered = false
        /// It was a subject of its own before.
        var isAttached = false

        /// The event that the subject takes over.
        var stray: (event: UUID, profile: UUID)? {
            guard isAttached, let profile = subject.profile, case .event(let occurrence, _, _) = input else {
                return nil
            }
            return (occurrence.id, profile)
        }

        /// When it was known whose the event is.
        var known: Timestamp {
            guard case .event(let occurrence, _, _) = input else { return Timestamp(microseconds: .min) }
            return occurrence.known
        }

        mutating func forbid(_ started: Set<String>) {
            guard case .event(let occurrence, let before, _) = input else { return }
            input = .event(occurrence, attributesBefore: before, started: started)
        }

        /// What its person's attributes were before the event changed them.
        mutating func follow(_ attributes: [UInt8]) {
            switch input {
            case .event(let occurrence, _, let started):
                input = .event(occurrence, attributesBefore: attributes, started: started)
            case .attributes(_, let at): input = .attributes(before: attributes, at: at)
            case .timer, .review, .merged, .resumed: break
            }
        }

        mutating func number(from base: Int64) {
            guard let place, case .event(var occurrence, let before, let started) = input else { return }
            occurrence.step = JourneyStep.number(place, from: base)
            input = .event(occurrence, attributesBefore: before, started: started)
        }
    }

    /// What steps are counted from: taken under the locks of all that are stepped, so that a person's grow.
    package static func number(_ connection: Connection) throws(PostgresError) -> Int64 {
        try connection.execute("select nextval('step')", context: "numbering steps").int8(0, 0)
    }

    /// The number of an event's step.
    package static func number(_ place: Int, from base: Int64) -> Int64 {
        base + Int64(min(place, most - 2)) + 1
    }

    /// So many lie between two numbers of the sequence.
    private static let most = 1_048_576
}
