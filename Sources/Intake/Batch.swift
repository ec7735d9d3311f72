import Foundations
import HTTP
import Payload
import Spool

/// What a lane gathers between two syncs: a frame for the spool, and the answers that go out once it is on disk.
///
/// Made a few times for each lane and reused for ever. While the spool has it, nobody touches it.
final class Batch: @unchecked Sendable {  // owner: lane → spool → lane, as its frame
    /// An answer, rendered before the sync; its texts lie in the batch's arena.
    struct Reply {
        let exchange: Exchange
        let status: Int
        private(set) var headers: Range<Int>
        private(set) var body: Range<Int>
        /// The task whose receipt the answer waits for, if it does.
        var waiter: UUID?

        /// Its texts were copied to another place.
        mutating func move(by distance: Int) {
            headers = headers.lowerBound + distance..<headers.upperBound + distance
            body = body.lowerBound + distance..<body.upperBound + distance
        }
    }

    private(set) var frame: Frame
    var arena = ByteBuffer(capacity: 16 << 10)
    private(set) var replies: [Reply] = []
    /// Ids of clients that are to be remembered when the batch is durable.
    private(set) var ids: [RecentID] = []
    /// How many events came from each source.
    private var received: [(source: SourceEntry, count: Int)] = []
    /// What it takes of `IntakeMetrics.inFlight`.
    private(set) var size = 0

    /// Buffers that grew beyond this give their memory back.
    private static let kept = 256 << 10

    init(completion: @escaping @Sendable (Batch, Result<Void, SpoolError>) -> Void) {
        frame = Frame { _, _ in }
        frame = Frame { [weak self] _, result in
            if let self { completion(self, result) }
        }
        replies.reserveCapacity(64)
    }

    var isEmpty: Bool { replies.isEmpty }

    func add(_ reply: Reply, from source: SourceEntry, received count: Int, ids more: [RecentID]) {
        replies.append(reply)
        ids.append(contentsOf: more)
        guard count > 0 else { return }
        if let i = received.lastIndex(where: { $0.source === source }) {
            received[i].count += count
        } else {
            received.append((source, count))
        }
    }

    /// Ends the frame with the counters of what was received; nothing may be added any more.
    func seal(at now: Timestamp) {
        for (source, count) in received {
            source.id.withUnsafeBytes {
                SubmissionWriter.counter(into: &frame.body, source: $0, received: count)
            }
        }
        frame.receivedAt = now
        size = frame.body.count + arena.count
    }

    /// Makes it as good as new.
    func reset() {
        frame.body.removeAll()
        frame.body.shrink(to: Self.kept)
        arena.removeAll()
        arena.shrink(to: Self.kept)
        replies.removeAll(keepingCapacity: replies.capacity <= 4096)
        ids.removeAll(keepingCapacity: ids.capacity <= 4096)
        received.removeAll(keepingCapacity: true)
        size = 0
    }
}
