import Foundations
import Identity
import Journeys
import Postgres

/// Who is in a segment now: profiles are asked, a page at a time, by the evaluator that journeys use. What SQL can tell
/// of a condition is told by it first, so that most of those who are not in it need not be asked.
package enum SegmentReading {
    package struct Answer: Sendable {
        package var count = 0
        /// As many as were asked for, in the order of (bucket, id).
        package var members: [UUID] = []
        /// How many of those who were asked the condition is unknown for: they are not in it.
        package var unknown = 0
        /// How many were asked.
        package var asked = 0
        /// How many profiles there are.
        package var profiles = 0
        /// Nil: all were asked; else it ended behind this one, since it took too long.
        package var endedAt: UUID?
    }

    /// Nil: there is no such segment.
    ///
    /// - Parameters:
    ///   - most: How many members are wanted; nil: all are counted, and none is named.
    ///   - until: When to end although not all were asked, of the monotonic clock.
    ///   - coarsely: Whether SQL leaves out whom it can; the answer is the same without.
    package static func members(
        of segment: String, with rules: RulesInForce, at now: Timestamp, most: Int?, after: UUID? = nil,
        until: UInt64 = .max, coarsely: Bool = true, _ connection: Connection
    ) throws(PostgresError) -> Answer? {
        guard rules.hasSegment(segment) else { return nil }
        let needsHistory = rules.engine.needsHistory(segment)
        let filter = CoarseFilter(coarsely ? rules.engine.coarse(segment) : nil, first: 2)
        var answer = Answer()
        if most == nil { answer.profiles = try profiles(connection) }
        var last = after
        while true {
            let rows = try page(filter, after: last, connection)
            for row in 0..<rows.count {
                let id = rows.uuid(row, 0)
                last = id
                guard rows.bool(row, 1) else { continue }
                let ids = rows.texts(row, 3).compactMap { $0.flatMap { UUID($0) } }
                let person = Journeys.Person(.profile(id), attributes: Array(rows.json(row, 2)))
                let history = StoredHistory(needsHistory ? ids : [], connection)
                let isIn = rules.engine.isIn(segment, person, history: history, at: now)
                if let failure = history.failure { throw failure }
                answer.asked += 1
                if isIn == nil { answer.unknown += 1 }
                guard isIn == true else { continue }
                answer.count += 1
                if let most {
                    answer.members.append(id)
                    if answer.members.count == most { return answer }
                }
            }
            if rows.count < pageSize { return answer }
            if Clock.system.monotonic() > until {
                answer.endedAt = last
                return answer
            }
        }
    }

    private static let pageSize = 1000

    /// A page of profiles; of those whom the filter leaves out only the id.
    private static func page(
        _ filter: CoarseFilter, after: UUID?, _ connection: Connection
    ) throws(PostgresError) -> Rows {
        var parameters = Parameters()
        if let after { parameters.append(after) } else { parameters.appendNull(.uuid) }
        filter.append(to: &parameters)
        return try connection.execute(
            """
            select p.id, f.fits, case when f.fits then p.traits end,
                case when f.fits then array(select i::text from ids_of(p.id) i) end
            from (select * from profile
                where $1::uuid is null or (bucket, id) > (bucket_of($1), $1) order by bucket, id limit \(pageSize)) p
            cross join lateral (select coalesce(\(filter.text), false) as fits offset 0) f
            order by p.bucket, p.id
            """, with: parameters, context: "asking who is in a segment")
    }

    private static func profiles(_ connection: Connection) throws(PostgresError) -> Int {
        Int(try connection.execute("select count(*) from profile", context: "counting profiles").int8(0, 0))
    }
}
