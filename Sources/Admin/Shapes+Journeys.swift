import Enrolments
import Foundations
import Journeys

extension Shapes {
    static let journey = Shape.object(
        "Journey",
        [
            "name": Shape.text.like("high_value_cart"),
            "version": Shape.text.saying("the hash of its definition"),
            "number": Shape.count.saying("what receivers see as automationid"),
            "state": .oneOf(JourneyDefinition.State.allCases.map(\.rawValue)),
            "in_force": Shape.flag.saying("false: it stands in no file any more"), "applied_at": .moment,
            "running": Shape.count.saying("how many are in it now"),
            "definition": Shape.freeObject.saying("with the keys of the files"),
        ])

    static func journey(_ journey: JourneyReading.Summary) -> JSONValue {
        [
            "name": .text(journey.name), "version": .text(journey.version),
            "number": .integer(journey.number), "state": .text(journey.state),
            "in_force": .bool(journey.isCurrent), "applied_at": JSONValue(journey.appliedAt),
            "running": .integer(journey.running), "definition": .json(journey.definition),
        ]
    }

    static let enrolment = Shape.object(
        "Enrolment",
        [
            "id": .id, "journey": .text, "version": .text,
            "profile_id": Shape.id.orNull.saying("null: it is about an event that has none"), "key": .text,
            "n": Shape.count.saying("the how manieth of this journey, profile and key"),
            "phase": .oneOf("awaiting", "waiting", "held", "ended"), "step": Shape.text.like("2.0.1"),
            "started_at": .clientMoment, "due": Shape.moment.orNull.saying("its timer"),
            "ended_at": Shape.moment.orNull, "reason": Shape.text.orNull.like("disproved by checkout"),
        ])

    static func enrolment(_ row: JourneyReading.Row) -> JSONValue {
        [
            "id": JSONValue(row.id), "journey": .text(row.journey), "version": .text(row.version),
            "profile_id": row.isByEvent ? .null : JSONValue(row.subject), "key": .text(row.key),
            "n": .integer(row.number), "phase": .text(row.phase), "step": .text(row.step),
            "started_at": JSONValue(row.startedAt), "due": JSONValue(row.due),
            "ended_at": JSONValue(row.endedAt), "reason": JSONValue(row.reason),
        ]
    }

    static let decision = Shape.object(
        "Decision",
        [
            "id": .id, "at": .moment, "journey": .text, "version": .text, "enrolment": .id,
            "kind": Shape.text.like("fired"), "detail": .text,
            "event": Shape.id.orNull.saying("the one that caused it"),
        ])

    static func decision(_ line: JourneyReading.Line) -> JSONValue {
        [
            "id": JSONValue(line.id), "at": JSONValue(line.at), "journey": .text(line.journey),
            "version": .text(line.version), "enrolment": JSONValue(line.enrolment), "kind": .text(line.kind),
            "detail": .text(line.detail), "event": JSONValue(line.event),
        ]
    }

    static let explanation: Shape = {
        let condition = Shape.object(
            "Condition",
            [
                "text": Shape.text.like("total >= 100"), "result": .oneOf("true", "false", "unknown"),
                "saw": Shape.list(of: .text).like(["total = 99.99"]),
            ])
        let attempt = Shape.object(
            "Attempt",
            [
                "event": .id.orNull, "activity": .text, "at": .clientMoment,
                "conditions": .list(of: condition),
                "verdict": Shape.text.saying("what followed").like("total >= 100 is false"),
            ])
        let look = Shape.object(
            "Look",
            [
                "enrolment": .id, "what": .oneOf("unless", "exit", "until", "goal", "split"),
                "attempt": attempt,
            ])
        return .object(
            "Explanation",
            [
                "journey": .text, "version": .text, "state": .text,
                "notes": Shape.list(of: .text).saying("what stands in the way of everybody"),
                "attempts": Shape.list(of: attempt).saying("the latest first"),
                "looks": Shape.list(of: look).saying("what enrolments looked at behind their start"),
            ])
    }()

    static func explanation(_ explanation: Explanation, withPrivate: Bool) -> JSONValue {
        func value(_ attempt: Explanation.Attempt) -> JSONValue {
            let conditions = attempt.conditions.map { condition -> JSONValue in
                let saw = condition.saw.filter { withPrivate || !$0.contains("private") }
                return [
                    "text": .text(condition.text), "result": .text(condition.result), "saw": JSONValue(saw),
                ]
            }
            return [
                "event": JSONValue(attempt.event), "activity": .text(attempt.activity),
                "at": JSONValue(attempt.at), "conditions": .list(conditions),
                "verdict": .text(attempt.verdict),
            ]
        }
        return [
            "journey": .text(explanation.journey), "version": .text(explanation.version),
            "state": .text(explanation.state), "notes": JSONValue(explanation.notes),
            "attempts": .list(explanation.attempts.map(value)),
            "looks": .list(
                explanation.looks.map {
                    [
                        "enrolment": JSONValue($0.enrolment), "what": .text($0.what),
                        "attempt": value($0.attempt),
                    ]
                }),
        ]
    }

    static let segmentCount = Shape.object(
        "SegmentCount",
        [
            "count": .count,
            "unknown": Shape.count.saying("of those asked: it cannot be told, and they are not in it"),
            "asked": Shape.count.saying("the others were left out by SQL"),
            "profiles": Shape.count.saying("how many there are"),
        ])
}
