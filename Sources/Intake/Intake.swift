import Foundations
import HTTP
import Identity
import Spool
import Synchronization

/// The room where requests become submissions: it authenticates sources, judges events, gives ids, and answers
/// when what it took is on disk.
///
/// One for the whole server; each lane has an `IntakeLane`, which does the work and shares nothing with the
/// others but what is here.
package final class Intake: Sendable {
    /// What Intake stands on.
    package struct Parts: Sendable {
        package var spool: Spool
        package var installation: Installation
        package var sessions: SessionCache
        package var lookup: Lookup
        package var receipts: Receipts
        package var clock: Clock

        package init(
            spool: Spool, installation: Installation, sessions: SessionCache, lookup: Lookup,
            receipts: Receipts, clock: Clock = .system
        ) {
            self.spool = spool
            self.installation = installation
            self.sessions = sessions
            self.lookup = lookup
            self.receipts = receipts
            self.clock = clock
        }
    }

    /// The operator's pages. Each appends its text and says its status; called on a lane, so they must be quick.
    package struct Pages: Sendable {
        package typealias Page = @Sendable (inout ByteBuffer) -> Int
        /// `/healthz`, JSON.
        package var health: Page
        /// `/readyz`, JSON.
        package var readiness: Page
        /// `/metrics`, Prometheus text.
        package var metrics: Page

        package init(health: @escaping Page, readiness: @escaping Page, metrics: @escaping Page) {
            self.health = health
            self.readiness = readiness
            self.metrics = metrics
        }
    }

    package let metrics = IntakeMetrics()
    let parts: Parts
    let pages: Pages
    let recent = RecentIDs()
    private let rules: Locked<Rules>
    /// Raised with every change of the rules, so that a lane sees by one load that it has to take them anew.
    private let generation = Atomic<Int>(1)
    /// When requests begin to be refused since the server stops, by the monotonic clock; `max`: never.
    private let drainsAt = Atomic<UInt64>(.max)
    /// Nanoseconds for what was on its way when the stop began.
    private static let grace: UInt64 = 3_000_000_000

    package init(_ configuration: Configuration, parts: Parts, pages: Pages) {
        self.parts = parts
        self.pages = pages
        rules = Locked(Rules(configuration, recent: recent))
    }

    /// What answers one lane's requests; to be called once for each lane.
    package func handler(for lane: Lane) -> any LaneHandler { IntakeLane(self, lane) }

    /// What judges replayed events, on one queue.
    package func replayJudge() -> ReplayJudge { ReplayJudge(self) }

    /// Takes changed sources and limits (SIGHUP). Requests that are being handled keep the old ones.
    package func update(_ configuration: Configuration) {
        rules.withLock { $0 = Rules(configuration, recent: recent, before: $0) }
        generation.wrappingAdd(1, ordering: .releasing)
    }

    /// The server is about to stop. What is in flight is finished; whoever still sends after a few seconds is
    /// answered 503, so that a client that never pauses cannot hold up the stop.
    package func drain() { drainsAt.store(parts.clock.monotonic() + Self.grace, ordering: .relaxed) }

    var isDraining: Bool {
        let moment = drainsAt.load(ordering: .relaxed)
        return moment != .max && parts.clock.monotonic() >= moment
    }

    /// The rules, if they are newer than the ones of `generation`.
    func rules(newerThan known: inout Int) -> Rules? {
        let current = generation.load(ordering: .acquiring)
        guard current != known else { return nil }
        known = current
        return rules.withLock { $0 }
    }
}
