import Foundations

/// What Intake hands to the loader for one request: who sent it, what it was answered, and its events.
///
/// A spool record is a *frame*: the entries of one lane's sweep, one behind the other. All numbers are
/// little-endian; a text is its length (u16 or u32) and its UTF-8 bytes.
///
///     entry       u32  length of what follows
///                 u8   kind: 1 submission, 2 counter, 3 replay
///     submission  u8   flags                    u8  basis               u8  0
///                 u32  number of events
///                 16   task id                  16  profile answered (zeros: none)
///                 i64  clock of the sender when it sent, µs (Int64.min: unknown)
///                 u16… source   u16… session   u16… profile as sent   u16… user agent   u32… session context
///                 events
///     replay      as a submission of one event, and after the session context:
///                 16   id of the server that received it first       i64  when, µs
///     event       u32  length of what follows
///                 u8   verdict                  16  event id
///                 i64  time as the client said it, µs (Int64.min: not said)
///                 u16… activity   u16… label   u16… client's id
///                 u32… properties   u32… context   u32… tags
///                 u16… reason   u16… pointer   u32… detail        (empty unless quarantined)
///     counter     u32  events received          u16… source
///
/// Every JSON in it is text that jsonb accepts. A quarantined event has its raw JSON in `properties`. A replayed event
/// has the id under which it is in the quarantine, and keeps it.
package enum Submission {
    package static let noTime = Int64.min

    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt8
        @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// A session row is to be written.
        package static let saveSession = Flags(rawValue: 1)
        package static let profileLess = Flags(rawValue: 2)
        /// Somebody waits for the receipt of this task.
        package static let waits = Flags(rawValue: 4)
        /// The database was asked about session and profile before the answer.
        package static let settled = Flags(rawValue: 8)
        /// The receipt must carry the profile's traits.
        package static let wantsTraits = Flags(rawValue: 16)
        /// None of its events is to be stored.
        package static let savesNoEvents = Flags(rawValue: 32)
    }

    /// Where an event came in first that is replayed from the quarantine: its line of the ledger.
    package struct Original: Equatable, Sendable {
        package var instance: UUID
        package var receivedAt: Timestamp

        package init(instance: UUID, receivedAt: Timestamp) {
            self.instance = instance
            self.receivedAt = receivedAt
        }
    }

    /// Why the profile was answered that was answered.
    package enum Basis: UInt8, Sendable {
        /// There is no profile.
        case none
        /// Made from the session id; loses to a known one.
        case derived
        /// Sent by the client and known: certified, imported, or the target of an alias.
        case known
        /// The session has it.
        case session
        /// From a source with static profile ids; never loses.
        case fixed
    }

    package enum Verdict: UInt8, Sendable {
        case store, unsaved, denied, quarantined
    }

    package enum Entry: UInt8 {
        case submission = 1
        case counter = 2
        case replay = 3
    }
}

/// Writes one submission to the end of a frame. Make it, add the events, `finish`.
package struct SubmissionWriter {
    private let start: Int
    private var events: UInt32 = 0

    private static let flagsOffset = 5
    private static let basisOffset = 6
    private static let countOffset = 8
    private static let profileOffset = 28

    /// Begins the submission; the profile can be settled later with `answer(profile:basis:flags:)`.
    /// Texts longer than 65,535 bytes are cut: Intake refuses them before. `original`: of a replay.
    package init(
        into frame: inout ByteBuffer, task: UUID, flags: Submission.Flags, sentAt: Timestamp?,
        source: Bytes, session: Bytes, sentProfile: Bytes, userAgent: Bytes,
        original: Submission.Original? = nil, context: (inout ByteBuffer) -> Void
    ) {
        start = frame.count
        frame.append(little: UInt32(0))
        let entry = original == nil ? Submission.Entry.submission : .replay
        frame.append(entry.rawValue)
        frame.append(flags.rawValue)
        frame.append(Submission.Basis.none.rawValue)
        frame.append(UInt8(0))
        frame.append(little: UInt32(0))
        frame.append(binary: task)
        frame.append(binary: UUID(high: 0, low: 0))
        frame.append(little: sentAt?.microseconds ?? Submission.noTime)
        frame.append(short: source)
        frame.append(short: session)
        frame.append(short: sentProfile)
        frame.append(short: userAgent)
        frame.appendLong(context)
        if let original {
            frame.append(binary: original.instance)
            frame.append(little: original.receivedAt.microseconds)
        }
    }

    /// Says which profile is answered, and why. Until `finish`, or on the bytes of a finished submission that
    /// begins at `start` of another buffer (see `patch`).
    package func answer(_ frame: inout ByteBuffer, profile: UUID?, basis: Submission.Basis, settled: Bool) {
        Self.patch(&frame, at: start, profile: profile, basis: basis, settled: settled)
    }

    /// The same for a finished submission whose first byte is at `start` in `buffer`.
    package static func patch(
        _ buffer: inout ByteBuffer, at start: Int, profile: UUID?, basis: Submission.Basis, settled: Bool
    ) {
        var flags = Submission.Flags(rawValue: buffer.bytes[start + flagsOffset])
        if settled { flags.insert(.settled) }
        buffer.replace(little: flags.rawValue, at: start + flagsOffset)
        buffer.replace(little: basis.rawValue, at: start + basisOffset)
        let id = profile ?? UUID(high: 0, low: 0)
        buffer.replace(big: id.high, at: start + profileOffset)
        buffer.replace(big: id.low, at: start + profileOffset + 8)
    }

    /// Adds an event. `properties`, `context` and `tags` append JSON text (`tags`: an array of strings), or
    /// nothing for the empty object or list.
    package mutating func event(
        into frame: inout ByteBuffer, id: UUID, verdict: Submission.Verdict, said: Timestamp?,
        activity: Bytes, label: Bytes, clientID: Bytes,
        properties: (inout ByteBuffer) -> Void, context: (inout ByteBuffer) -> Void,
        tags: (inout ByteBuffer) -> Void,
        reason: Bytes = .empty, pointer: Bytes = .empty, detail: (inout ByteBuffer) -> Void = { _ in }
    ) {
        let begin = frame.count
        frame.append(little: UInt32(0))
        frame.append(verdict.rawValue)
        frame.append(binary: id)
        frame.append(little: said?.microseconds ?? Submission.noTime)
        frame.append(short: activity)
        frame.append(short: label)
        frame.append(short: clientID)
        frame.appendLong(properties)
        frame.appendLong(context)
        frame.appendLong(tags)
        frame.append(short: reason)
        frame.append(short: pointer)
        frame.appendLong(detail)
        frame.replace(little: UInt32(frame.count - begin - 4), at: begin)
        events += 1
    }

    package func finish(_ frame: inout ByteBuffer) {
        frame.replace(little: events, at: start + Self.countOffset)
        frame.replace(little: UInt32(frame.count - start - 4), at: start)
    }

    /// Takes everything back that was written since the beginning.
    package func abandon(_ frame: inout ByteBuffer) { frame.truncate(to: start) }

    /// Says how many events Intake received for a source in this frame, whatever became of them.
    package static func counter(into frame: inout ByteBuffer, source: Bytes, received: Int) {
        let begin = frame.count
        frame.append(little: UInt32(0))
        frame.append(Submission.Entry.counter.rawValue)
        frame.append(little: UInt32(received))
        frame.append(short: source)
        frame.replace(little: UInt32(frame.count - begin - 4), at: begin)
    }
}

extension ByteBuffer {
    fileprivate mutating func append(binary id: UUID) {
        append(big: id.high)
        append(big: id.low)
    }

    fileprivate mutating func append(short text: Bytes) {
        let cut = text.count <= 0xffff ? text : text.slice(0..<0xffff)
        append(little: UInt16(cut.count))
        append(cut)
    }

    fileprivate mutating func appendLong(_ write: (inout ByteBuffer) -> Void) {
        let begin = count
        append(little: UInt32(0))
        write(&self)
        replace(little: UInt32(count - begin - 4), at: begin)
    }
}
