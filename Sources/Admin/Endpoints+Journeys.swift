import Enrolments
import Foundations
import Identity
import Postgres

extension Endpoints {
    /// What is in force, who is in it, and why.
    static func journeys(_ setting: Locked<RulesInForce.Setting>) -> [Endpoint] {
        [
            listJourneys, getJourney, listRunning, explain(setting), listEnrolments, getTrace,
            listSegments(setting), countSegment(setting), listMembers(setting),
        ]
    }

    private static let name = Parameter.path(
        "name", .text(1...256), "the journey's name", like: "high_value_cart")
    private static let segment = Parameter.path(
        "name", .text(1...256), "the segment's name", like: "in_canada")
    private static let journey = Parameter.query(
        "journey", .text(1...256), "only of this journey", like: "high_value_cart")
    private static let after = Parameter.after(.id, like: "0198c5f2-7b7e-5a3c-9d4e-5f60718293a4")

    private static let listJourneys = Endpoint(
        verb: .get, path: "/admin/journeys", name: "listJourneys", tag: .journeys,
        summary: "The journeys as applied, by name",
        parameters: [.limit, .after(.text(1...256), like: "high_value_cart")],
        answer: .page(of: Shapes.journey),
        work: .database { inquiry, connection in
            let found = try JourneyReading.journeys(
                limit: inquiry.limit + 1, after: inquiry.text("after") ?? "", connection)
            return inquiry.page(found, cursor: { $0.name }) { Shapes.journey($0) }
        })

    private static let getJourney = Endpoint(
        verb: .get, path: "/admin/journeys/{name}", name: "getJourney", tag: .journeys,
        summary: "One journey with its definition", parameters: [name], answer: Shapes.journey,
        refusals: [404: "There is no such journey."],
        work: .database { inquiry, connection in
            let found = try JourneyReading.journeys(
                limit: 1, after: "", name: inquiry.key("name"), connection)
            guard let journey = found.first else { throw Refusal.missing("journey") }
            return Shapes.journey(journey)
        })

    private static let listRunning = Endpoint(
        verb: .get, path: "/admin/journeys/{name}/enrolments", name: "listRunningEnrolments", tag: .journeys,
        summary: "Who is in the journey now, in the order of the enrolments' ids",
        parameters: [name, .limit, after], answer: .page(of: Shapes.enrolment),
        work: .database { inquiry, connection in
            let found = try JourneyReading.running(
                in: inquiry.key("name"), limit: inquiry.limit + 1, after: inquiry.id("after"), connection)
            return inquiry.page(found, cursor: { "\($0.id)" }) { Shapes.enrolment($0) }
        })

    private static func explain(_ setting: Locked<RulesInForce.Setting>) -> Endpoint {
        Endpoint(
            verb: .get, path: "/admin/journeys/{name}/profiles/{id}", name: "explainJourney", tag: .journeys,
            summary: "Why the journey did what it did for a person, or why not",
            explanation: """
                Each of the person's latest events that could have started it, with its conditions and the values \
                that they see now. What conditions see of private traits is shown to the write token only.
                """,
            parameters: [name, personID], answer: Shapes.explanation,
            refusals: [404: "There is no such journey, or nobody has this id."],
            work: .database { inquiry, connection in
                let person = try person(inquiry, connection)
                let rules = try RulesInForce.read(setting.withLock { $0 }, connection)
                let found = try JourneyReading.explain(
                    inquiry.key("name"), of: person, with: rules, at: Clock.system.now(), connection)
                guard let found else { throw Refusal.missing("journey") }
                return Shapes.explanation(found, withPrivate: inquiry.mayWrite)
            })
    }

    private static let listEnrolments = Endpoint(
        verb: .get, path: "/admin/profiles/{id}/enrolments", name: "listEnrolments", tag: .journeys,
        summary: "The person's enrolments, the latest first", parameters: [personID, .limit, after, journey],
        answer: .page(of: Shapes.enrolment), refusals: [404: "Nobody has this id."],
        work: .database { inquiry, connection in
            let found = try JourneyReading.enrolments(
                of: try person(inquiry, connection), journey: inquiry.text("journey"),
                limit: inquiry.limit + 1, after: inquiry.id("after"), connection)
            return inquiry.page(found, cursor: { "\($0.id)" }) { Shapes.enrolment($0) }
        })

    private static let getTrace = Endpoint(
        verb: .get, path: "/admin/profiles/{id}/decisions", name: "listDecisions", tag: .journeys,
        summary: "What journeys did for the person, the latest first",
        parameters: [personID, .limit, after, journey],
        answer: .page(of: Shapes.decision), refusals: [404: "Nobody has this id."],
        work: .database { inquiry, connection in
            let found = try JourneyReading.trace(
                of: try person(inquiry, connection), journey: inquiry.text("journey"),
                limit: inquiry.limit + 1, after: inquiry.id("after"), connection)
            return inquiry.page(found, cursor: { "\($0.id)" }) { Shapes.decision($0) }
        })

    // MARK: Segments

    private static func listSegments(_ setting: Locked<RulesInForce.Setting>) -> Endpoint {
        Endpoint(
            verb: .get, path: "/admin/segments", name: "listSegments", tag: .journeys,
            summary: "The segments as applied", explanation: "One page: `next` is always null.",
            answer: .page(of: .object("Segment", ["name": .text, "condition": .text])),
            work: .database { _, connection in
                let rules = try RulesInForce.read(setting.withLock { $0 }, connection)
                let items = rules.segments.map { segment -> JSONValue in
                    ["name": .text(segment.name), "condition": .text(segment.condition)]
                }
                return ["items": .list(items), "next": nil]
            })
    }

    private static func countSegment(_ setting: Locked<RulesInForce.Setting>) -> Endpoint {
        Endpoint(
            verb: .get, path: "/admin/segments/{name}/count", name: "countSegment", tag: .journeys,
            summary: "How many are in the segment now",
            explanation: """
                SQL leaves out whom it can, and all others are asked. It answers 503 when that takes more than \
                \(patience) s; `waymark segments count` goes on to the end.
                """,
            parameters: [segment], answer: Shapes.segmentCount,
            refusals: [404: "There is no such segment."],
            work: .patient { inquiry, connection in
                let rules = try RulesInForce.read(setting.withLock { $0 }, connection)
                let answer = try SegmentReading.members(
                    of: inquiry.key("name"), with: rules, at: Clock.system.now(), most: nil, until: deadline,
                    connection)
                guard let answer else { throw Refusal.missing("segment") }
                if answer.endedAt != nil {
                    throw Refusal.unavailable("there are too many profiles", seconds: 60)
                }
                return [
                    "count": .integer(answer.count), "unknown": .integer(answer.unknown),
                    "asked": .integer(answer.asked), "profiles": .integer(answer.profiles),
                ]
            })
    }

    /// Who is in a segment is looked for so many seconds.
    private static let patience: UInt64 = 20
    private static var deadline: UInt64 { Clock.system.monotonic() + patience * 1_000_000_000 }

    private static func listMembers(_ setting: Locked<RulesInForce.Setting>) -> Endpoint {
        Endpoint(
            verb: .get, path: "/admin/segments/{name}/members", name: "listSegmentMembers", tag: .journeys,
            summary: "Who is in the segment now",
            explanation: "A page ends early when those who are in it are few and far between.",
            parameters: [segment, .limit, after],
            answer: .page(of: .object("Member", ["id": .id])), refusals: [404: "There is no such segment."],
            work: .patient { inquiry, connection in
                let rules = try RulesInForce.read(setting.withLock { $0 }, connection)
                let answer = try SegmentReading.members(
                    of: inquiry.key("name"), with: rules, at: Clock.system.now(), most: inquiry.limit + 1,
                    after: inquiry.id("after"), until: deadline, connection)
                guard let answer else { throw Refusal.missing("segment") }
                let (members, limit) = (answer.members, inquiry.limit)
                let next = members.count > limit ? members[limit - 1] : answer.endedAt
                return [
                    "items": .list(members.prefix(limit).map { ["id": JSONValue($0)] }),
                    "next": JSONValue(next),
                ]
            })
    }
}
