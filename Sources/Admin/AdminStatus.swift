import Foundations

/// How the server is at one moment, for `GET /admin/status`.
package struct AdminStatus: Sendable {
    package var startedAt: Timestamp
    /// What is wrong, by the part that it is wrong with; empty: the server is ready.
    package var wrong: [(part: String, reason: String)]
    package var spoolBytes: Int
    package var spoolCapacity: Int
    /// What is not in PostgreSQL yet.
    package var backlogBytes: Int
    package var oldestUnloaded: Timestamp?

    package init(
        startedAt: Timestamp, wrong: [(part: String, reason: String)], spoolBytes: Int, spoolCapacity: Int,
        backlogBytes: Int, oldestUnloaded: Timestamp?
    ) {
        (self.startedAt, self.wrong) = (startedAt, wrong)
        (self.spoolBytes, self.spoolCapacity) = (spoolBytes, spoolCapacity)
        (self.backlogBytes, self.oldestUnloaded) = (backlogBytes, oldestUnloaded)
    }
}
