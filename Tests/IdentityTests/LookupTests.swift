import Dispatch
import Foundations
import Logging
import Postgres
import TestSupport
import Testing

@testable import Identity

/// Asking the database before the answer, without ever waiting for it for long.
@Suite(.serialized) struct LookupTests {
    /// Somebody who asks, and collects the answers.
    private final class Asker: Sendable {
        private let answers = Locked<[Int: (answer: LookupAnswer, at: Double)]>([:])
        private let client = Locked<LookupClient?>(nil)

        init() {
            let made = LookupClient(queue: DispatchQueue(label: "asker")) { [weak self] new in
                self?.answers.withLock { answers in
                    for answer in new {
                        precondition(answers[answer.ticket] == nil, "answered twice")
                        answers[answer.ticket] = (answer, Moment.now)
                    }
                }
            }
            client.withLock { $0 = made }
        }

        private let tickets = Counter()
        func nextTicket() -> Int {
            tickets.add()
            return 1_000_000 + tickets.total
        }

        func ask(_ lookup: Lookup, _ session: String, profile: UUID? = nil, ticket: Int) {
            guard let client = client.withLock({ $0 }) else { return }
            var session = session
            session.withUTF8 { lookup.ask(session: Bytes($0), profile: profile, ticket: ticket, for: client) }
        }

        func answer(_ ticket: Int) throws -> LookupAnswer {
            try eventually("answer \(ticket)", every: 0.001) { answers.withLock { $0[ticket]?.answer } }
        }

        func moment(_ ticket: Int) throws -> Double {
            _ = try answer(ticket)
            return answers.withLock { $0[ticket]?.at ?? 0 }
        }
    }

    private static func quiet() -> Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    private let server: PostgresServer
    private let database: Database
    private let lookup = Lookup(logger: LookupTests.quiet())
    /// One that a busy machine cannot make silent.
    private let patient = Lookup(deadline: 30_000, logger: LookupTests.quiet())
    private let asker = Asker()
    private let a = UUID(high: 0xa, low: 0xa)
    private let b = UUID(high: 0xb, low: 0xb)

    init() throws {
        server = try PostgresServer()
        database = try server.makeDatabase()
        try migrate(try Connection(database.conninfo, name: "test"), Schema.migrations)
        try database.run(
            """
            insert into profile select bucket_of('\(a)'::uuid), '\(a)', '{}', now(), now();
            insert into alias select bucket_of('\(b)'::uuid), '\(b)', '\(a)', now();
            insert into session (bucket, id, profile_id, source, started_at, last_seen_at)
            select bucket_of(id), id, profile::uuid, 'shop', now(), now() from (values
                ('straight', '\(a)'), ('aliased', '\(b)'), ('nobody', null)) as s(id, profile)
            """)
    }

    private func settled(_ other: Lookup? = nil) throws {
        try eventually("it is connected") {
            let ticket = asker.nextTicket()
            asker.ask(other ?? lookup, "straight", ticket: ticket)
            return try asker.answer(ticket).settled
        }
    }

    @Test func whatTheDatabaseKnowsIsSaid() throws {
        patient.use(database.conninfo)
        try settled(patient)
        let cases: [(session: String, profile: UUID?, UUID?, UUID?)] = [
            ("straight", nil, a, nil), ("aliased", nil, a, nil), ("nobody", a, nil, a),
            ("unknown", b, nil, a),
            ("unknown", UUID(high: 9, low: 9), nil, nil), ("", a, nil, a),
        ]
        for (ticket, one) in cases.enumerated() {
            asker.ask(patient, one.session, profile: one.profile, ticket: ticket)
        }
        for (ticket, one) in cases.enumerated() {
            let answer = try asker.answer(ticket)
            #expect(answer.settled)
            #expect(answer.sessionProfile == one.2, "\(one)")
            #expect(answer.profile == one.3, "\(one)")
        }
        server.stop()
    }

    @Test func withoutADatabaseTheAnswerComesAtOnce() throws {
        asker.ask(lookup, "straight", ticket: 1)
        #expect(try !asker.answer(1).settled)
        lookup.use("host=/nowhere dbname=none")
        for ticket in 2..<100 { asker.ask(lookup, "straight", ticket: ticket) }
        for ticket in 2..<100 { #expect(try !asker.answer(ticket).settled) }
        server.stop()
    }

    /// A server that stands still keeps the first questions for the deadline, and nobody after them.
    @Test func aFrozenServerDelaysNobodyForLong() throws {
        lookup.use(database.conninfo)
        try settled()
        server.freeze()
        var asked: [Double] = []
        for ticket in 0..<200 {
            asked.append(Moment.now)
            asker.ask(lookup, "straight", ticket: ticket)
            pause(0.01)
        }
        let delays = try (0..<200).map { try asker.moment($0) - asked[$0] }
        for ticket in 0..<200 { #expect(try !asker.answer(ticket).settled) }
        #expect(delays.max() ?? 9 < 2)
        #expect(delays.filter { $0 > 0.04 }.count < 100, "only those of the first deadline wait")
        server.thaw()
        try settled()
        server.stop()
    }

    @Test func aStormIsAnsweredInFull() throws {
        lookup.use(database.conninfo)
        try settled()
        for ticket in 0..<30_000 { asker.ask(lookup, "s\(ticket)", ticket: ticket) }
        for ticket in 0..<30_000 { _ = try asker.answer(ticket) }
        try settled()
        server.kill()
        asker.ask(lookup, "straight", ticket: 40_000)
        #expect(try !asker.answer(40_000).settled)
        try server.start()
        try settled()
        server.stop()
    }
}
