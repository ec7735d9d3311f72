import Foundations
import HTTP

/// A request that waits for a look-up: its submission and its answer are written, only the profile is missing.
///
/// Kept apart from the batches, so that nobody else's answer waits for the database. Reused.
final class Parked {
    var submission = ByteBuffer(capacity: 2048)
    /// Headers and body of the answer.
    var arena = ByteBuffer(capacity: 1024)
    /// The texts that `sent` points to.
    private var texts = ByteBuffer(capacity: 1024)
    private(set) var sent = Identification.Sent()
    private(set) var source: SourceEntry?
    private(set) var reply: Batch.Reply?
    private(set) var idAt: Int?
    private(set) var received = 0
    private(set) var ids: [RecentID] = []
    private(set) var savesSession = true
    /// It is in use, and has not been decided yet.
    private(set) var isWaiting = false

    var size: Int { submission.count + arena.count }

    private static let kept = 16 << 10

    /// Keeps what is needed to decide and to answer. `idAt`: where the profile's id stands in the arena.
    func park(
        _ sent: Identification.Sent, _ reply: Batch.Reply, idAt: Int?, source: SourceEntry,
        savesSession: Bool,
        received: Int, ids: [RecentID]
    ) {
        texts.removeAll()
        let session = sent.session ?? .empty
        texts.append(session)
        texts.append(sent.profile)
        self.sent = sent
        self.sent.session = sent.session == nil ? nil : texts[0..<session.count]
        self.sent.profile = texts[session.count..<texts.count]
        self.reply = reply
        self.idAt = idAt
        self.source = source
        self.savesSession = savesSession
        self.received = received
        self.ids.removeAll(keepingCapacity: true)
        self.ids.append(contentsOf: ids)
        isWaiting = true
    }

    func release() {
        isWaiting = false
        reply = nil
        source = nil
        submission.removeAll()
        submission.shrink(to: Self.kept)
        arena.removeAll()
        arena.shrink(to: Self.kept)
        if ids.capacity > 1024 { ids = [] }
    }
}
