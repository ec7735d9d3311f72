import Foundations

/// A frame that is not what `SubmissionWriter` writes, although its checksum is right.
package struct SubmissionError: Error, CustomStringConvertible {
    package let offset: Int
    package var description: String { "a frame that this version cannot read (at byte \(offset))" }
}

/// Reads the entries of a frame one after the other. All slices point into the frame's bytes.
package struct FrameReader {
    private var cursor: Cursor

    package enum Entry {
        case submission(SubmissionView)
        case counter(source: Bytes, received: Int)
    }

    package init(_ frame: Bytes) { cursor = Cursor(frame) }

    /// The next entry, or nil at the end.
    package mutating func next() throws(SubmissionError) -> Entry? {
        if cursor.isAtEnd { return nil }
        var inner = Cursor(try cursor.long())
        switch Submission.Entry(rawValue: try inner.number(UInt8.self)) {
        case .submission: return .submission(try SubmissionView(&inner))
        case .replay: return .submission(try SubmissionView(&inner, isReplay: true))
        case .counter:
            let received = Int(try inner.number(UInt32.self))
            return .counter(source: try inner.short(), received: received)
        case nil: throw SubmissionError(offset: cursor.offset)
        }
    }
}

/// One submission, read in place.
package struct SubmissionView {
    package let flags: Submission.Flags
    package let basis: Submission.Basis
    package let task: UUID
    /// The profile that was answered.
    package let profile: UUID?
    package let sentAt: Timestamp?
    package let source: Bytes
    package let session: Bytes
    package let sentProfile: Bytes
    package let userAgent: Bytes
    package let context: Bytes
    package let count: Int
    /// Of an event that is replayed from the quarantine; nil: it comes for the first time.
    package let original: Submission.Original?
    private var events: Cursor

    /// When its events were received; `time`: when the record was.
    package func receivedAt(_ time: Timestamp) -> Timestamp { original?.receivedAt ?? time }

    fileprivate init(_ cursor: inout Cursor, isReplay: Bool = false) throws(SubmissionError) {
        flags = Submission.Flags(rawValue: try cursor.number(UInt8.self))
        guard let basis = Submission.Basis(rawValue: try cursor.number(UInt8.self)) else {
            throw SubmissionError(offset: cursor.offset)
        }
        self.basis = basis
        _ = try cursor.number(UInt8.self)
        count = Int(try cursor.number(UInt32.self))
        task = try cursor.uuid()
        let answered = try cursor.uuid()
        profile = answered.high == 0 && answered.low == 0 ? nil : answered
        sentAt = try cursor.time()
        source = try cursor.short()
        session = try cursor.short()
        sentProfile = try cursor.short()
        userAgent = try cursor.short()
        context = try cursor.long()
        original = isReplay ? try Self.original(&cursor) : nil
        events = cursor
    }

    private static func original(_ cursor: inout Cursor) throws(SubmissionError) -> Submission.Original {
        let instance = try cursor.uuid()
        return Submission.Original(
            instance: instance, receivedAt: Timestamp(microseconds: try cursor.number(Int64.self)))
    }

    /// The next event, or nil at the end.
    package mutating func nextEvent() throws(SubmissionError) -> EventView? {
        if events.isAtEnd { return nil }
        var inner = Cursor(try events.long())
        return try EventView(&inner)
    }
}

/// One event of a submission, read in place.
package struct EventView {
    package let verdict: Submission.Verdict
    package let id: UUID
    package let said: Timestamp?
    package let activity: Bytes
    package let label: Bytes
    package let clientID: Bytes
    package let properties: Bytes
    package let context: Bytes
    package let tags: Bytes
    package let reason: Bytes
    package let pointer: Bytes
    package let detail: Bytes

    fileprivate init(_ cursor: inout Cursor) throws(SubmissionError) {
        guard let verdict = Submission.Verdict(rawValue: try cursor.number(UInt8.self)) else {
            throw SubmissionError(offset: cursor.offset)
        }
        self.verdict = verdict
        id = try cursor.uuid()
        said = try cursor.time()
        activity = try cursor.short()
        label = try cursor.short()
        clientID = try cursor.short()
        properties = try cursor.long()
        context = try cursor.long()
        tags = try cursor.long()
        reason = try cursor.short()
        pointer = try cursor.short()
        detail = try cursor.long()
    }
}

/// A place in bytes that are read from front to back, checked at each step.
private struct Cursor {
    private let bytes: Bytes
    private(set) var offset = 0

    init(_ bytes: Bytes) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type) throws(SubmissionError) -> Number {
        let size = MemoryLayout<Number>.size
        guard bytes.count - offset >= size else { throw SubmissionError(offset: offset) }
        defer { offset += size }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    mutating func uuid() throws(SubmissionError) -> UUID {
        let high = UInt64(bigEndian: try number(UInt64.self).littleEndian)
        return UUID(high: high, low: UInt64(bigEndian: try number(UInt64.self).littleEndian))
    }

    mutating func time() throws(SubmissionError) -> Timestamp? {
        let value = try number(Int64.self)
        return value == Submission.noTime ? nil : Timestamp(microseconds: value)
    }

    mutating func short() throws(SubmissionError) -> Bytes { try slice(Int(try number(UInt16.self))) }
    mutating func long() throws(SubmissionError) -> Bytes { try slice(Int(try number(UInt32.self))) }

    private mutating func slice(_ count: Int) throws(SubmissionError) -> Bytes {
        guard bytes.count - offset >= count else { throw SubmissionError(offset: offset) }
        defer { offset += count }
        return bytes.slice(offset..<offset + count)
    }
}
