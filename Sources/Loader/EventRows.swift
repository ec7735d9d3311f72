import Foundations
import Identity
import Payload
import Postgres

/// The rows of the table `event`, by binary `COPY`.
struct EventRows: ~Copyable {
    private var document = JSONDocument()
    private var text = ByteBuffer(capacity: 1024)

    static let statement = """
        copy event (bucket, id, received_at, time, activity, label, source, session_id, profile_id, properties,
            context, tags, client_id, client_time, step) from stdin (format binary)
        """

    mutating func copy(_ batch: Batch, _ events: [Int], _ connection: Connection) throws(PostgresError) {
        if events.isEmpty { return }
        let sorted = Self.sorted(batch, events)
        _ = try connection.copy(Self.statement) { (out: inout CopyWriter) throws(PostgresError) in
            for i in sorted { try write(batch, i, &out) }
        }
    }

    /// By bucket, as the primary key is: its index is then walked from one end to the other for each batch.
    private static func sorted(_ batch: Batch, _ events: [Int]) -> [Int] {
        let keys = events.map { i in
            UInt64(bucket(batch, i)) << 32 | UInt64(i)
        }
        return keys.sorted().map { Int($0 & 0xffff_ffff) }
    }

    /// Where an event's row is: with its profile, else by itself.
    private static func bucket(_ batch: Batch, _ i: Int) -> Int32 {
        (batch.profile(of: i) ?? batch.events[i].view.id).bucket
    }

    private mutating func write(
        _ batch: Batch, _ i: Int, _ out: inout CopyWriter
    ) throws(PostgresError) {
        let (event, claim) = (batch.events[i].view, batch.claims[batch.events[i].request])
        let trimmed = batch.events[i].trimmed
        try out.row(columns: 15)
        out.append(Self.bucket(batch, i))
        out.append(event.id)
        out.append(claim.receivedAt)
        out.append(EventClock.corrected(said: event.said, skew: claim.skew, receivedAt: claim.receivedAt))
        out.append(event.activity)
        out.append(event.label)
        out.append(claim.source)
        out.append(orNull: claim.session)
        out.append(batch.profile(of: i))
        out.json { buffer in
            if let trimmed {
                buffer.append(trimmed)
            } else if event.properties.count > 0 {
                buffer.append(event.properties)
            } else {
                buffer.append("{}")
            }
        }
        if event.context.count > 0 { out.append(JSONText(event.context)) } else { out.appendNull() }
        writeTags(event.tags, &out)
        out.append(orNull: event.clientID)
        out.append(event.said)
        out.append(batch.events[i].step)
    }

    /// A JSON array of strings as `text[]`; none is null.
    private mutating func writeTags(_ tags: Bytes, _ out: inout CopyWriter) {
        guard tags.count > 0, (try? document.parse(tags)) != nil, document.root.kind == .array else {
            return out.appendNull()
        }
        let list = document.root
        var length = 0
        var elements = list.elements
        while elements.next() != nil { length += 1 }
        if length == 0 { return out.appendNull() }
        text.removeAll()
        var again = list.elements
        while let tag = again.next() {
            let begin = text.count
            text.append(big: Int32(0))
            _ = tag.appendText(to: &text)
            text.replace(big: Int32(text.count - begin - 4), at: begin)
        }
        out.array(of: .text, count: length) { $0.append(text.bytes) }
    }
}

extension CopyWriter {
    /// A text; null when it is empty.
    mutating func append(orNull text: Bytes) {
        if text.count > 0 { append(text) } else { appendNull() }
    }
}
