import Foundations
import Identity
import Postgres

extension Endpoints {
    /// Who is who, and what they did.
    static func profiles(_ names: Locked<IdentityNames>) -> [Endpoint] {
        [listProfiles(names), getProfile, getTimeline, getVisits, getTraits]
    }

    /// Of a person; `person` finds who it is.
    static let personID = Parameter.path(
        "id", .id, "the profile's id, or one that was merged into it",
        like: "0198c5f2-7b7e-8a3c-9d4e-5f60718293a4")

    private static func listProfiles(_ names: Locked<IdentityNames>) -> Endpoint {
        Endpoint(
            verb: .get, path: "/admin/profiles", name: "listProfiles", tag: .profiles,
            summary: "Profiles in the order of their ids, or those that something is known to belong to",
            parameters: [
                .limit, .after(.id, like: "0198c5f2-7b7e-8a3c-9d4e-5f60718293a4"),
                .query(
                    "identity",
                    .text(
                        pattern: "[^:]{1,64}:[\\s\\S]{1,512}",
                        "kind, colon, value, such as email:ada@example.org"
                    )
                    .saying("kind, colon, value"),
                    "only the one who is known by this", like: "email:ada@example.org"),
                .query(
                    "session", .text(1...256), "only the one to whom this session belongs",
                    like: "0198c5f2-7b7e-7a3c-9d4e-5f60718293a4"),
            ],
            answer: .page(of: Shapes.profile),
            work: .database { inquiry, connection in
                guard let found = try known(inquiry, names.withLock { $0 }, connection) else {
                    let all = try People.list(
                        limit: inquiry.limit + 1, after: inquiry.id("after"), withPrivate: inquiry.mayWrite,
                        connection)
                    return inquiry.page(all, cursor: { "\($0.id)" }) { Shapes.profile($0) }
                }
                let summaries = try found.compactMap { id throws(PostgresError) in
                    try People.summary(of: id, withPrivate: inquiry.mayWrite, connection)
                }
                return ["items": .list(summaries.map { Shapes.profile($0) }), "next": nil]
            })
    }

    /// Who is meant by what was asked for; nil: nothing was asked for, so everybody is.
    private static func known(
        _ inquiry: Inquiry, _ names: IdentityNames, _ connection: Connection
    ) throws(PostgresError) -> [UUID]? {
        var found: [UUID?] = []
        if let identity = inquiry.text("identity"), let colon = identity.firstIndex(of: ":") {
            let kind = String(identity[..<colon])
            var person: UUID?
            for value in names.forms(of: String(identity[identity.index(after: colon)...]), kind: kind)
            where person == nil {
                person = try People.find(kind: kind, value: value, connection)
            }
            found.append(person)
        }
        if let session = inquiry.text("session") {
            found.append(try Person.find(.session(session), connection)?.id)
        }
        guard let first = found.first else { return nil }
        return found.allSatisfy { $0 == first } ? [first].compactMap { $0 } : []
    }

    private static let getProfile = Endpoint(
        verb: .get, path: "/admin/profiles/{id}", name: "getProfile", tag: .profiles,
        summary: "One person, with everything that was merged into it",
        explanation: """
            At most 1,000 identities and 1,000 aliases are listed. Private traits are shown to the write token only.
            """,
        parameters: [personID], answer: Shapes.person, refusals: [404: "Nobody has this id."],
        work: .database { inquiry, connection in
            let person = try person(inquiry, connection)
            guard
                let summary = try People.summary(
                    of: person, withPrivate: inquiry.mayWrite, connection)
            else { throw Refusal.missing("profile") }
            let identities = try People.identities(of: person, connection)
            let aliases = try People.aliases(of: person, connection)
            guard case .object(let members) = Shapes.profile(summary) else { return .null }
            let more: JSONValue = [
                "identities": .list(
                    identities.map {
                        ["kind": .text($0.kind), "value": .text($0.value), "since": JSONValue($0.since)]
                    }),
                "aliases": .list(
                    aliases.map { ["id": JSONValue($0.id), "since": JSONValue($0.since)] }),
            ]
            guard case .object(let lists) = more else { return .null }
            return .object(members + lists)
        })

    static func person(_ inquiry: Inquiry, _ connection: Connection) throws -> UUID {
        guard let id = inquiry.id("id"), let person = try People.find(id, connection) else {
            throw Refusal.missing("profile")
        }
        return person
    }

    private static let getTimeline = Endpoint(
        verb: .get, path: "/admin/profiles/{id}/timeline", name: "getTimeline", tag: .profiles,
        summary: "What the person did, the latest first",
        explanation: "A page may have fewer items than `limit` when the events are large: `next` tells.",
        parameters: [
            personID, .limit,
            .after(
                .cursor("-?[0-9]{1,18}\\.\(Shape.uuidPattern)"),
                like: "1769860800000000.0198c5f2-7b7e-7a3c-9d4e-5f60718293a4"),
        ],
        answer: .page(of: Shapes.event), refusals: [404: "Nobody has this id."],
        work: .database { inquiry, connection in
            let ids = try People.ids(of: try person(inquiry, connection), connection)
            var cursor = inquiry.text("after").flatMap { Timeline.Cursor($0) }.map {
                Timeline.Cursor(time: $0.time.storable, id: $0.id)
            }
            var events: [JSONValue] = []
            var bytes = 0
            // In small steps, so that large events do not add up before it is noticed.
            repeat {
                let step = try Timeline.read(
                    of: ids, before: cursor, limit: min(inquiry.limit - events.count, 25),
                    now: Clock.system.now(), connection)
                bytes += step.events.reduce(0) { $0 + $1.properties.count + $1.context.count }
                events += step.events.map { Shapes.event($0) }
                cursor = step.next
            } while cursor != nil && events.count < inquiry.limit && bytes < 4 << 20
            return ["items": .list(events), "next": JSONValue(cursor?.description)]
        })

    private static let getVisits = Endpoint(
        verb: .get, path: "/admin/profiles/{id}/visits", name: "getVisits", tag: .profiles,
        summary: "The person's visits, the latest first",
        parameters: [
            personID, .limit, .after(.cursor("-?[0-9]{1,18}"), like: "1769860800000000"),
        ],
        answer: .page(of: Shapes.visit), refusals: [404: "Nobody has this id."],
        work: .database { inquiry, connection in
            let ids = try People.ids(of: try person(inquiry, connection), connection)
            let before = inquiry.text("after").flatMap { Int64($0) }.map {
                Timestamp(microseconds: $0).storable
            }
            let visits = try PersonVisit.read(of: ids, before: before, limit: inquiry.limit + 1, connection)
            return inquiry.page(visits, cursor: { "\($0.startedAt.microseconds)" }) { Shapes.visit($0) }
        })

    private static let getTraits = Endpoint(
        verb: .get, path: "/admin/profiles/{id}/traits", name: "getTraits", tag: .profiles,
        summary: "How the person's traits came to their values",
        explanation: "By trait: its time, its event, and the values before it.",
        parameters: [personID], answer: .freeObject, refusals: [404: "Nobody has this id."],
        work: .database { inquiry, connection in
            let person = try person(inquiry, connection)
            let history = try People.history(of: person, withPrivate: inquiry.mayWrite, connection)
            return .json(String(decoding: history, as: UTF8.self))
        })
}

extension Timestamp {
    /// PostgreSQL knows no time before 4714 BC; a cursor that somebody made up may name one.
    fileprivate var storable: Timestamp { max(self, Timestamp(microseconds: -210_000_000_000_000_000)) }
}
