import Foundations
import Identity
import Journeys
import Postgres

/// Who is in a segment now: every profile is asked, a page at a time, by the evaluator that journeys use.
package enum SegmentReading {
    package struct Answer: Sendable {
        package var count = 0
        /// As many as were asked for, in the order of (bucket, id).
        package var members: [UUID] = []
        /// Those for whom the condition is unknown: they are not in it.
        package var unknown = 0
        /// How many profiles were asked.
        package var asked = 0
    }

    /// Nil: there is no such segment.
    ///
    /// - Parameter most: How many members are wanted; nil: all are counted, and none is named.
    package static func members(
        of segment: String, with rules: RulesInForce, at now: Timestamp, most: Int?, after: UUID? = nil,
        _ connection: Connection
    ) throws(PostgresError) -> Answer? {
        guard rules.hasSegment(segment) else { return nil }
        let needsHistory = rules.engine.needsHistory(segment)
        var answer = Answer()
        var last = after
        while true {
            let rows = try connection.execute(
                """
                select id, traits, array(select i::text from ids_of(id) i) from profile
                where $1::uuid is null or (bucket, id) > (bucket_of($1), $1) order by bucket, id limit 1000
                """, last, context: "asking who is in a segment")
            for row in 0..<rows.count {
                let id = rows.uuid(row, 0)
                let ids = rows.texts(row, 2).compactMap { $0.flatMap { UUID($0) } }
                let person = Journeys.Person(.profile(id), attributes: Array(rows.json(row, 1)))
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
            if rows.count < 1000 { return answer }
            last = rows.uuid(rows.count - 1, 0)
        }
    }
}
