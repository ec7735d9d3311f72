import Foundations
import Postgres
import TestSupport
import Testing

@testable import Identity

/// Reading persons out of a real database.
struct PeopleTests {
    let connection: Connection
    let person = UUID.people(1)
    let merged = UUID.people(2)
    let deeper = UUID.people(3)

    init() throws {
        connection = try Connection(
            PostgresServer.shared.get().makeDatabase().conninfo, name: "test", deadline: 30_000)
        try migrate(connection, Schema.migrations)
        try connection.execute(
            """
            insert into profile (bucket, id, traits, created_at, last_seen_at, kinds, known_at)
            values (bucket_of($1), $1, '{"name": "Ada", "private": {"score": 3}}', now(), now(), '{email}', now())
            """, person)
        for (id, target) in [(merged, person), (deeper, merged)] {
            try connection.execute(
                "insert into alias values (bucket_of($1), $1, $2, now())", id, target)
        }
        for (kind, value, id) in [
            ("email", "ada@example.com", Optional(person)), ("phone", "+911", deeper), ("voucher", "v", nil),
        ] {
            try connection.execute(
                "insert into identity values (bucket_of($1 || ':' || $2), $1, $2, $3, now())", kind, value, id
            )
        }
        try connection.execute(
            """
            insert into trait values (bucket_of($1), $1, 'name', '{"value": "Ada"}'),
                (bucket_of($1), $1, 'private.score', '{"value": 3}')
            """, person)
    }

    @Test func anIdOfAnyAgeFindsThePerson() throws {
        for id in [person, merged, deeper] { #expect(try People.find(id, connection) == person) }
        #expect(try People.find(UUID.people(9), connection) == nil)
        #expect(Set(try People.ids(of: person, connection)) == [person, merged, deeper])
        #expect(try People.aliases(of: person, connection).map(\.id) == [merged, deeper])
        #expect(try People.aliases(of: person, limit: 1, after: merged, connection).map(\.id) == [deeper])
    }

    @Test func anIdentityFindsThePersonEvenThroughAnAlias() throws {
        #expect(try People.find(kind: "email", value: "ada@example.com", connection) == person)
        #expect(try People.find(kind: "phone", value: "+911", connection) == person)
        #expect(try People.find(kind: "voucher", value: "v", connection) == nil)
        #expect(try People.search(value: "+911", kinds: ["email", "phone"], connection) == [person])
        let all = try People.identities(of: person, connection)
        #expect(all.map(\.kind) == ["email", "phone"])
        #expect(try People.identities(of: person, after: all[0], connection) == [all[1]])
    }

    @Test func privateTraitsAreShownToWhoMaySeeThemOnly() throws {
        let open = try #require(try People.summary(of: person, withPrivate: false, connection))
        #expect(String(decoding: open.traits, as: UTF8.self) == #"{"name": "Ada"}"#)
        #expect(open.kinds == ["email"] && open.knownAt != nil)
        let whole = try #require(try People.list(limit: 5, after: nil, withPrivate: true, connection).first)
        #expect(String(decoding: whole.traits, as: UTF8.self).contains("score"))
        #expect(try People.list(limit: 5, after: person, withPrivate: true, connection).isEmpty)
        #expect(try People.summary(of: merged, withPrivate: false, connection) == nil)
        let history = try People.history(of: person, withPrivate: false, connection)
        #expect(String(decoding: history, as: UTF8.self) == #"{"name": {"value": "Ada"}}"#)
    }
}

extension UUID {
    static func people(_ n: UInt64) -> UUID { UUID(high: 0x1111_2222_3333_8444, low: 1 << 63 | n) }
}
