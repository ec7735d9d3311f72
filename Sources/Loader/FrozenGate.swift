import Activities
import Foundations
import Logging
import Payload
import Postgres

/// Holds events against the activities that are frozen: what does not fit goes into the quarantine, or is stored without
/// what is too much, as the operator said.
///
/// What is frozen is looked up at most once a second: a single number, as long as nothing changes.
final class FrozenGate {
    private var frozen = FrozenActivities()
    private var document = JSONDocument()
    private var trimmed = ByteBuffer(capacity: 1024)
    private var refreshed: UInt64 = 0

    /// Nanoseconds between two looks.
    private static let period: UInt64 = 1_000_000_000

    /// Outside of the loader's transaction. `atOnce`: also if the last look was just now; whoever replays has mended
    /// something, and must not meet what was frozen a moment ago.
    func refresh(
        at now: UInt64, atOnce: Bool, _ connection: Connection, _ logger: Logger
    ) throws(PostgresError) {
        guard atOnce || refreshed == 0 || now - refreshed >= Self.period else { return }
        let unreadable = try frozen.refresh(connection)
        for key in unreadable {
            logger.error(
                "what an activity was frozen to cannot be read: it is not held to it; freeze it again",
                metadata: ["activity": "\(key)"])
        }
        refreshed = now
    }

    /// Another database, or an older state of it.
    func forget() {
        frozen = FrozenActivities()
        refreshed = 0
    }

    /// Decides about the events of the range that were to be stored.
    func check(_ batch: Batch, _ range: Range<Int>) {
        if frozen.isEmpty { return }
        for i in range where batch.events[i].refusal == nil && batch.events[i].view.verdict == .store {
            guard let entry = frozen[batch.events[i].view.activity.text] else { continue }
            check(&batch.events[i], entry)
        }
    }

    private func check(_ event: inout Batch.Event, _ entry: FrozenActivities.Entry) {
        let empty: StaticString = "{}"
        let properties = event.view.properties
        let text = properties.count > 0 ? properties : Bytes(start: empty.utf8Start, count: 2)
        guard (try? document.parse(text)) != nil else { return }
        trimmed.removeAll()
        if entry.extra == .drop, entry.schema.dropExtras(of: document.root, to: &trimmed) {
            event.trimmed = Array(trimmed.bytes)
            guard (try? document.parse(trimmed.bytes)) != nil else { return }
        }
        guard let misfit = entry.schema.check(document.root) else { return }
        event.trimmed = nil
        let detail = QuarantineDetail(
            code: "misfit", expected: misfit.expected, found: misfit.found, nearest: misfit.nearest)
        event.refusal = Batch.Refusal(
            reason: "frozen", pointer: "/properties" + misfit.pointer, detail: detail)
    }
}
