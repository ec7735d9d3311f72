internal import Foundations

/// What a lane knows of one connection: decisions only, the lane makes the system calls.
///
///     idle ─► head ─► body ─► answer ─► idle          a request a round
///                 └──────┴─► answer ─► lingering ─► closed    refused, or the last one
///
/// Several requests may wait for their answers at a time (pipelining), so receiving and answering overlap:
/// `wait` is what the connection's deadline is about at the moment.
///
/// An idle connection holds no buffers: requests are parsed in the lane's memory, and only what has to wait
/// there (a request that is not whole, an answer that the peer does not take) moves into its own.
final class Connection {
    enum Phase { case open, lingering, closed }

    /// What is being waited for.
    enum Wait { case nothing, request, head, body, answer, reader, peerToClose }

    /// How many requests of one connection may wait for their answers.
    static let depth = 64
    /// How long a peer may take to read nothing of its answer, and to close after the last one; milliseconds.
    static let readerTimeout: UInt64 = 30_000
    static let lingerTimeout: UInt64 = 5_000
    /// For how long a body may come as slowly as it likes; milliseconds.
    static let rateGrace: UInt64 = 5_000

    /// How long a connection must have been quiet before it has to make way for a new one when there are too many:
    /// one that never sent a whole request, and one that did; milliseconds.
    static let strangersPatience: UInt64 = 1_000
    static let guestsPatience: UInt64 = 10_000

    let slot: Int
    var generation: UInt32 = 0
    var socket: Int32 = -1
    var peer = IPAddress(high: 0, low: 0)
    var phase = Phase.closed
    var interest: Poller.Interest = []

    /// Received, and not yet handled: the beginning of a request, or whole ones that have to wait.
    var input = ByteBuffer()
    /// How far the request at the beginning of `input` was understood; nil: not looked at.
    var parser: UnsafeMutablePointer<RequestParser>?
    /// `input` holds bytes that were not looked at, because too much was unanswered.
    var hasUnparsed = false
    /// What the peer did not take yet, from `outputSent` on.
    var output = ByteBuffer()
    var outputSent = 0
    /// What is accounted for in the memory budget.
    var charged = 0

    var firstPending: Int32 = -1
    var lastPending: Int32 = -1
    var pendingCount = 0
    var nextSequence: UInt32 = 0
    var firstSequence: UInt32 = 0

    /// No request after the ones that are known is taken.
    var takesNoMore = false
    /// The peer will send nothing more.
    var peerIsDone = false
    /// The peer may still be sending: it must get the chance to read the answer before the connection is gone.
    var lingers = false
    /// Everything to be sent was handed out; close when it is gone.
    var closesAfterOutput = false
    /// `100 Continue` is to be sent when the answers before it are.
    var owesContinue = false
    var isQueuedToResume = false
    /// Its requests are being handled at this moment: more of them may follow.
    var isConsuming = false

    var wait = Wait.nothing
    /// Since when; monotonic milliseconds, as all times here.
    var since: UInt64 = 0
    var deadline = UInt64.max

    init(slot: Int) { self.slot = slot }

    var token: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
    var unsent: Int { output.count - outputSent }

    /// A new peer on this slot.
    func open(socket: Int32, peer: IPAddress, at time: UInt64) {
        self.socket = socket
        self.peer = peer
        phase = .open
        interest = .read
        hasUnparsed = false
        outputSent = 0
        (firstPending, lastPending, pendingCount) = (-1, -1, 0)
        (nextSequence, firstSequence) = (0, 0)
        (takesNoMore, peerIsDone, lingers, closesAfterOutput) = (false, false, false, false)
        (owesContinue, isQueuedToResume, isConsuming) = (false, false, false)
        wait = .request
        since = time
        deadline = .max
    }

    /// May another request be taken, when so many may be unanswered?
    func mayTake(_ depth: Int) -> Bool {
        phase == .open && !takesNoMore && pendingCount < depth && unsent == 0
    }

    /// Nothing of a request is here, and nothing is owed.
    var isIdle: Bool {
        phase == .open && pendingCount == 0 && unsent == 0 && input.count == 0 && parser == nil
    }

    /// May it be closed in favour of a newcomer? Never while it sends a body or is owed an answer.
    func isDispensable(at now: UInt64) -> Bool {
        let quiet = now - min(since, now)
        switch phase {
        case .closed: return false
        case .lingering: return quiet >= Self.strangersPatience
        case .open:
            guard pendingCount == 0, unsent == 0, wait == .request || wait == .head else { return false }
            return quiet >= (nextSequence == 0 ? Self.strangersPatience : Self.guestsPatience)
        }
    }

    func wantedInterest(_ depth: Int) -> Poller.Interest {
        switch phase {
        case .closed: []
        case .lingering: .read
        case .open:
            if unsent > 0 {
                .write
            } else if peerIsDone || hasUnparsed || !mayTake(depth) {
                []
            } else {
                .read
            }
        }
    }

    private func currentWait(_ depth: Int) -> Wait {
        if phase == .lingering { return .peerToClose }
        if unsent > 0 { return .reader }
        if let parser, mayTake(depth) { return parser.pointee.isHeadWhole ? .body : .head }
        return pendingCount > 0 || hasUnparsed ? .answer : .request
    }

    /// Brings `wait` up to date and says when to look again.
    func updateDeadline(at now: UInt64, _ depth: Int, _ limits: borrowing Limits) {
        let current = currentWait(depth)
        let isNew = current != wait
        if isNew {
            wait = current
            since = now
        }
        switch wait {
        case .nothing, .answer: deadline = .max
        case .request: deadline = since + Self.milliseconds(limits.idleTimeout)
        case .head: deadline = since + Self.milliseconds(limits.headTimeout)
        case .body:
            // Its rate is looked at once a second, however often some of it comes.
            guard isNew || deadline <= now else { return }
            let end = since + Self.milliseconds(limits.bodyTimeout)
            deadline = min(end, max(now, since + Self.rateGrace) + 1000)
        case .reader: deadline = since + Self.readerTimeout
        case .peerToClose: deadline = since + Self.lingerTimeout
        }
    }

    /// Does the body take too long, or come more slowly than it must?
    func isBodyTooSlow(at now: UInt64, _ limits: borrowing Limits) -> Bool {
        guard let parser else { return false }
        let elapsed = now - since
        if elapsed >= Self.milliseconds(limits.bodyTimeout) { return true }
        guard elapsed > Self.rateGrace else { return false }
        let received = parser.pointee.bodyEnd - parser.pointee.headEnd
        return received < limits.minimumRate * Int(elapsed - Self.rateGrace) / 1000
    }

    private static func milliseconds(_ microseconds: Int64) -> UInt64 { UInt64(max(microseconds, 0) / 1000) }

    func dropParser() {
        parser?.deallocate()
        parser = nil
    }

    /// Forgets what was received.
    func dropInput() {
        dropParser()
        input.removeAll()
        input.shrink(to: 0)
        hasUnparsed = false
    }

    func dropOutput() {
        output.removeAll()
        output.shrink(to: 0)
        outputSent = 0
    }

    /// What its buffers take; the few bytes that every buffer has do not count.
    var heldBytes: Int {
        (input.capacity > 64 ? input.capacity : 0) + (output.capacity > 64 ? output.capacity : 0)
    }

    /// How much is to be made room for before the next `recv` into `input`: what the body still needs, but no
    /// more than was received already, so that a claimed length costs us nothing.
    var room: Int {
        let most = max(input.count, 4096)
        guard let parser, parser.pointee.isHeadWhole, parser.pointee.framing == .sized else { return most }
        return min(most, parser.pointee.headEnd + parser.pointee.contentLength - input.count)
    }
}
