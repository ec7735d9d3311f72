import Foundations
import Journeys
import Payload
import Postgres
import Webhooks

/// What is in force, as files again.
package enum DefinitionExport {
    /// YAML that `apply` reads: applying it changes nothing.
    package static func yaml(_ connection: Connection) throws(PostgresError) -> (
        text: String, faults: [String]
    ) {
        let stored = try StoredJourneys(connection)
        var text = try panel(connection)
        let webhooks = try connection.execute(
            "select name, definition from webhook where removed_at is null order by name")
        if webhooks.count > 0 { text += "webhooks:\n" }
        for row in 0..<webhooks.count {
            text += "  \(quoted(webhooks.string(row, 0))): \(webhooks.string(row, 1))\n"
        }
        text += DefinitionText.yaml(
            journeys: stored.current, segments: stored.segments, scores: stored.scores)
        return (text, stored.faults)
    }

    private static func panel(_ connection: Connection) throws(PostgresError) -> String {
        let rows = try connection.execute("select panel, timezone, primary_key from rulebook")
        var text = ""
        for (column, key) in ["panel", "timezone", "primary_key"].enumerated() {
            if let value = rows.isEmpty ? nil : rows.stringOrNil(0, column) {
                text += "\(key): \(quoted(value))\n"
            }
        }
        return text
    }

    private static func quoted(_ text: String) -> String {
        var buffer = ByteBuffer(capacity: text.utf8.count + 2)
        appendJSONString(text, to: &buffer)
        return buffer.bytes.text
    }
}

/// What is in force, to be run otherwise than live.
package enum AppliedDefinitions {
    /// The panel's name where the applied files give one.
    package static func panel(_ connection: Connection) throws(PostgresError) -> String? {
        let rows = try connection.execute("select panel from rulebook", context: "reading the panel's name")
        return rows.isEmpty ? nil : rows.stringOrNil(0, 0)
    }

    package static func read(
        _ connection: Connection
    ) throws(PostgresError) -> (
        journeys: [JourneyDefinition], segments: [SegmentDefinition], scores: [ScoreDefinition]
    ) {
        let stored = try StoredJourneys(connection)
        return (stored.current, stored.segments, stored.scores)
    }
}
