import Foundations
import Payload
import Postgres

/// A webhook with how it fares: a row of `webhook list`, and of the admin API.
package struct WebhookStatus: Sendable {
    package enum State: String, Sendable {
        case active
        /// It fails too often: one probe each 30 seconds.
        case paused
        /// Nothing is sent until somebody enables it.
        case disabled
    }

    package var name: String
    /// As it was applied: JSON text.
    package var applied: String
    package var state: State
    package var reason: String?
    package var appliedAt: Timestamp
    package var removedAt: Timestamp?
    /// When it was enabled, disabled or first applied.
    package var changedAt: Timestamp
    package var probeAt: Timestamp?
    package var failures: Int
    package var failingSince: Timestamp?
    package var lastSuccessAt: Timestamp?
    package var lastFailureAt: Timestamp?
    package var lastStatus: Int?
    package var lastError: String?
    package var lastExcerpt: String?
    /// Deliveries that wait, those in batches included.
    package var waiting = 0
    package var oldestWaiting: Timestamp?
    /// Deliveries that failed for good.
    package var failed = 0

    /// Reads `applied`, which takes a while; nil: it is of another version of Waymark.
    package var definition: WebhookDefinition? { WebhookDefinition(name: name, json: applied) }

    /// It never answered as it should: nobody knows whether it works.
    package var isUnverified: Bool { lastSuccessAt == nil }

    static let columns = """
        w.name, w.definition, w.state, w.reason, w.applied_at, w.removed_at, w.changed_at, w.probe_at, w.failures,
        w.failing_since, w.last_success_at, w.last_failure_at, w.last_status, w.last_error, w.last_excerpt
        """

    init(_ rows: Rows, _ row: Int) {
        name = rows.string(row, 0)
        applied = rows.string(row, 1)
        state = State(rawValue: rows.string(row, 2)) ?? .disabled
        reason = rows.stringOrNil(row, 3)
        appliedAt = rows.timestamp(row, 4)
        removedAt = rows.timestampOrNil(row, 5)
        changedAt = rows.timestamp(row, 6)
        probeAt = rows.timestampOrNil(row, 7)
        failures = Int(rows.int8(row, 8))
        failingSince = rows.timestampOrNil(row, 9)
        lastSuccessAt = rows.timestampOrNil(row, 10)
        lastFailureAt = rows.timestampOrNil(row, 11)
        lastStatus = rows.isNull(row, 12) ? nil : Int(rows.int4(row, 12))
        lastError = rows.stringOrNil(row, 13)
        lastExcerpt = rows.stringOrNil(row, 14)
    }
}

/// One delivery, for lists.
package struct DeliverySummary: Sendable {
    package let id: UUID
    package let webhook: String
    package let profile: UUID?
    package let journey: String?
    package let state: String
    package let attempts: Int
    package let createdAt: Timestamp
    package let nextAt: Timestamp
    package let finishedAt: Timestamp?
    package let batch: UUID?
    package let body: String
}

/// One attempt of a delivery, for its log.
package struct AttemptSummary: Sendable {
    package let number: Int
    package let at: Timestamp
    package let milliseconds: Int
    package let status: Int?
    package let error: String?
    package let excerpt: String?
}
