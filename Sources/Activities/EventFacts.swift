import Foundations

/// What is known of an event besides its properties: which one it is, when it came, and who sent it.
///
/// The texts are slices of the caller's memory; what is kept of them is copied.
package struct EventFacts {
    package var id: UUID
    package var receivedAt: Timestamp
    package var time: Timestamp
    /// The activity's name as it was sent.
    package var label: Bytes
    package var source: Bytes
    /// The program that sent it, as it names itself: a user agent, or a library and its version.
    package var client: Bytes

    package init(
        id: UUID, receivedAt: Timestamp, time: Timestamp, label: Bytes = .empty, source: Bytes, client: Bytes
    ) {
        self.id = id
        self.receivedAt = receivedAt
        self.time = time
        self.label = label
        self.source = source
        self.client = client
    }

    package var key: EventKey { EventKey(receivedAt: receivedAt, id: id) }
}

/// An event's place among all others: by arrival, then by id. Every server puts them in the same order.
package struct EventKey: Hashable, Comparable, Sendable {
    package var receivedAt: Timestamp
    package var id: UUID

    package init(receivedAt: Timestamp, id: UUID) {
        self.receivedAt = receivedAt
        self.id = id
    }

    @inlinable package static func < (a: Self, b: Self) -> Bool {
        let (mine, theirs) = (a.receivedAt.microseconds, b.receivedAt.microseconds)
        return mine == theirs ? a.id < b.id : mine < theirs
    }
}

/// An event that showed something first, with who sent it: so that a change can be traced to its maker.
package struct EventMark: Hashable, Comparable, Sendable {
    package var key: EventKey
    package var source: String
    /// At most 200 bytes of it.
    package var client: String

    package init(key: EventKey, source: String, client: String) {
        self.key = key
        self.source = source
        self.client = client
    }

    init(_ facts: EventFacts) {
        key = facts.key
        source = facts.source.cut(to: 256)
        client = facts.client.cut(to: 200)
    }

    package var id: UUID { key.id }
    package var receivedAt: Timestamp { key.receivedAt }

    package static func < (a: Self, b: Self) -> Bool { a.key < b.key }
}

extension UnsafeRawBufferPointer {
    /// At most so many bytes, cut between two characters.
    func cut(to most: Int) -> String {
        guard count > most else { return text }
        var end = most
        while end > 0, self[end] & 0xc0 == 0x80 { end -= 1 }
        return slice(0..<end).text
    }
}
