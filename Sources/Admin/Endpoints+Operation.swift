import Foundations
import Postgres

extension Endpoints {
    /// How the server is, who sends, and what became of what was sent.
    static func operation(_ parts: AdminServer.Parts) -> [Endpoint] {
        [status(parts), sources, ledger]
    }

    /// The description of everything, itself included; `document` is filled in when all is known.
    static func describe(_ document: Locked<JSONValue>) -> Endpoint {
        Endpoint(
            verb: .get, path: "/admin/openapi.json", name: "describe", tag: .operation,
            summary: "This description, in OpenAPI 3.1", answer: .freeObject,
            work: .memory { _ in document.withLock { $0 } })
    }

    private static func status(_ parts: AdminServer.Parts) -> Endpoint {
        Endpoint(
            verb: .get, path: "/admin/status", name: "getStatus", tag: .operation,
            summary: "How this server is",
            explanation: "Answered also while the database is away. `ready` is what `/readyz` says.",
            answer: Shapes.status,
            work: .memory { _ in
                let status = parts.status()
                return [
                    "version": .text(parts.version), "started_at": JSONValue(status.startedAt),
                    "ready": .bool(status.wrong.isEmpty),
                    "wrong": .list(
                        status.wrong.map { ["part": .text($0.part), "reason": .text($0.reason)] }),
                    "spool": [
                        "bytes": .integer(status.spoolBytes), "capacity": .integer(status.spoolCapacity),
                        "backlog": .integer(status.backlogBytes),
                        "oldest": JSONValue(status.oldestUnloaded),
                    ],
                ]
            })
    }

    private static let sources = Endpoint(
        verb: .get, path: "/admin/sources", name: "listSources", tag: .operation,
        summary: "The sources as the servers' configurations last had them",
        parameters: [.limit, .after(.text(1...256), like: "shop-web")],
        answer: .page(of: Shapes.source),
        work: .database { inquiry, connection in
            let rows = try connection.execute(
                """
                select id, name, kinds, enabled, configured_at from source
                where $1::text is null or id > $1::text order by id limit $2
                """, inquiry.text("after"), inquiry.limit + 1)
            return inquiry.page(Array(0..<rows.count), cursor: { rows.string($0, 0) }) { row in
                [
                    "id": .text(rows.string(row, 0)), "name": .text(rows.string(row, 1)),
                    "kinds": JSONValue(rows.texts(row, 2).compactMap { $0 }),
                    "enabled": .bool(rows.bool(row, 3)),
                    "configured_at": JSONValue(rows.timestamp(row, 4)),
                ]
            }
        })

    private static let ledger = Endpoint(
        verb: .get, path: "/admin/ledger", name: "listLedger", tag: .operation,
        summary: "What became of the events, by source and minute, the latest first",
        explanation: """
            `received` is the sum of the other five, for every source and minute. Without `from`, the 24 hours \
            before `to`.
            """,
        parameters: [
            .limit, .after(.cursor("[0-9]{1,9}:[\\s\\S]{1,256}"), like: "29879520:shop-web"),
            .query("source", .text(1...256), "only this source", like: "shop-web"),
            .query("from", .moment, "only from this moment on", like: "2026-01-31T00:00:00Z"),
            .query(
                "to", .moment, "only before this moment; now, if it is left out", like: "2026-02-01T00:00:00Z"
            ),
        ],
        answer: .page(of: Shapes.ledgerLine),
        work: .database { inquiry, connection in
            let to = inquiry.moment("to") ?? Clock.system.now()
            let from = inquiry.moment("from") ?? to.adding(seconds: -86_400)
            let after = inquiry.text("after").map { $0.split(separator: ":", maxSplits: 1) }
            let minute = after.flatMap { Int64($0[0]) }.map { Timestamp(seconds: $0 * 60) }
            let rows = try connection.execute(
                """
                select minute, source, received, stored, duplicate, denied, quarantined, unsaved from ledger
                where minute >= $1 and minute < $2 and ($3::text is null or source = $3::text)
                    and ($4::timestamptz is null or minute < $4 or minute = $4 and source > $5::text)
                order by minute desc, source limit $6
                """, from, to, inquiry.text("source"), minute, after.map { String($0[1]) }, inquiry.limit + 1)
            let cursor = { (row: Int) in "\(rows.timestamp(row, 0).seconds / 60):\(rows.string(row, 1))" }
            return inquiry.page(Array(0..<rows.count), cursor: cursor) { row in
                var line: [JSONValue.Member] = [
                    .init(name: "source", value: .text(rows.string(row, 1))),
                    .init(name: "minute", value: JSONValue(rows.timestamp(row, 0))),
                ]
                for column in 2..<8 {
                    let name = rows.name(ofColumn: column)
                    line.append(.init(name: name, value: .integer(rows.int(row, column))))
                }
                return .object(line)
            }
        })
}

/// What the answers are made of.
enum Shapes {
    static let status = Shape.object(
        "Status",
        [
            "version": .text, "started_at": .moment, "ready": .flag,
            "wrong": Shape.list(of: .object(nil, ["part": .text, "reason": .text])).saying(
                "why it is not ready"),
            "spool": .object(
                nil,
                [
                    "bytes": .count, "capacity": .count,
                    "backlog": Shape.count.saying("bytes that are not in PostgreSQL yet"),
                    "oldest": Shape.moment.orNull.saying("when the first of them arrived"),
                ]),
        ])

    static let source = Shape.object(
        "Source",
        [
            "id": Shape.text.like("shop-web"), "name": .text, "kinds": .list(of: .oneOf("web", "backend")),
            "enabled": .flag, "configured_at": .moment,
        ])

    static let ledgerLine = Shape.object(
        "LedgerLine",
        [
            "source": Shape.text.like("shop-web"), "minute": .moment, "received": .count, "stored": .count,
            "duplicate": .count, "denied": .count, "quarantined": .count, "unsaved": .count,
        ])
}
