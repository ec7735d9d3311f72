import Foundations
import Identity
import Payload
import Postgres

/// The ledger's share of a batch: what was received, from Intake's counters, and what became of it, from the
/// loader's outcomes. The two are independent, and must add up.
///
/// A replayed event was counted when it came: its line, be it another server's, moves one from `quarantined` to what
/// became of it.
struct Ledger {
    private struct Line {
        var received = 0
        var outcomes = [Int](repeating: 0, count: 5)
    }

    private struct Key: Hashable, Comparable {
        let instance: UUID
        let source: String
        let minute: Timestamp

        static func < (a: Self, b: Self) -> Bool {
            (a.instance, a.source, a.minute) < (b.instance, b.source, b.minute)
        }
    }

    private var lines: [Key: Line] = [:]

    private let instance: UUID

    init(_ batch: Batch, instance: UUID) {
        self.instance = instance
        for count in batch.counts {
            let key = Key(instance: instance, source: count.source.storableText, minute: count.minute)
            lines[key, default: Line()].received += count.received
        }
        // Requests come in runs of one source and minute: a line is looked up once for each run.
        var (line, source, minute) = (Line(), Bytes.empty, Timestamp(microseconds: 0))
        for (request, claim) in zip(batch.requests, batch.claims) where !request.events.isEmpty {
            if let original = request.original {
                move(batch.events[request.events], original, claim.source)
                continue
            }
            if minute != claim.receivedAt.minute || !source.equals(claim.source) {
                keep(line, source, minute)
                (line, source, minute) = (Line(), claim.source, claim.receivedAt.minute)
            }
            for event in batch.events[request.events] {
                if let outcome = event.outcome { line.outcomes[outcome.column] += 1 }
            }
        }
        keep(line, source, minute)
    }

    private mutating func move(
        _ events: ArraySlice<Batch.Event>, _ original: Submission.Original, _ source: Bytes
    ) {
        let key = Key(
            instance: original.instance, source: source.storableText, minute: original.receivedAt.minute)
        for event in events {
            guard let outcome = event.outcome, outcome != .quarantined else { continue }
            lines[key, default: Line()].outcomes[Receipt.Outcome.quarantined.column] -= 1
            lines[key, default: Line()].outcomes[outcome.column] += 1
        }
    }

    private mutating func keep(_ line: Line, _ source: Bytes, _ minute: Timestamp) {
        if line.outcomes.allSatisfy({ $0 == 0 }) { return }
        let key = Key(instance: instance, source: source.storableText, minute: minute)
        for (i, count) in line.outcomes.enumerated() { lines[key, default: Line()].outcomes[i] += count }
    }

    /// Adds the lines to the table, last of all statements, since every batch of this server locks them.
    func write(_ connection: Connection) throws(PostgresError) {
        if lines.isEmpty { return }
        let sorted = lines.sorted { $0.key < $1.key }
        func column(_ i: Int) -> [Int64] { sorted.map { Int64($0.value.outcomes[i]) } }
        try connection.execute(
            """
            insert into ledger_entry as l
                (instance, source, minute, received, stored, duplicate, denied, quarantined, unsaved)
            select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[],
                $7::bigint[], $8::bigint[], $9::bigint[])
            on conflict (instance, source, minute) do update set
                received = l.received + excluded.received, stored = l.stored + excluded.stored,
                duplicate = l.duplicate + excluded.duplicate, denied = l.denied + excluded.denied,
                quarantined = l.quarantined + excluded.quarantined, unsaved = l.unsaved + excluded.unsaved
            """, sorted.map(\.key.instance), sorted.map(\.key.source), sorted.map(\.key.minute),
            sorted.map { Int64($0.value.received) }, column(0), column(1), column(2), column(3), column(4))
    }

    /// Source and minute of this server's lines that do not add up; nil: all do.
    static func mismatch(instance: UUID, _ connection: Connection) throws(PostgresError) -> String? {
        let rows = try connection.execute(
            """
            select source, minute::text from ledger_entry
            where instance = $1 and received <> stored + duplicate + denied + quarantined + unsaved
            order by minute desc limit 1
            """, instance)
        return rows.count == 0 ? nil : "source \(rows.string(0, 0)), minute \(rows.string(0, 1))"
    }
}

extension Receipt.Outcome {
    /// Its place among the ledger's outcomes.
    fileprivate var column: Int {
        switch self {
        case .stored: 0
        case .duplicate: 1
        case .denied: 2
        case .quarantined: 3
        case .unsaved: 4
        }
    }
}
