import ArgumentParser
import Foundations
import Loader
import Payload
import Postgres

struct QuarantineShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show all that is kept of one event.",
        discussion: """
            EXAMPLES
              waymark quarantine show 019e2f4a-7c11-7a35-9f0c-3f5d0c9f6a21
              waymark quarantine show --json 019e2f4a-7c11-7a35-9f0c-3f5d0c9f6a21 | jq .payload
            """)

    @Argument(help: ArgumentHelp("The event.", valueName: "ID")) var id: String
    @Flag(help: "Write JSON.") var json = false
    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let id = try QuarantineSelection.id(id)
        let connection = try file.connect("quarantine show")
        defer { connection.close() }
        guard let entry = try Quarantine.entry(id, connection) else {
            printError("waymark: no event \(id) is in the quarantine")
            throw ExitCode.failure
        }
        if json { return print(Self.json(entry)) }
        for line in Self.lines(entry) { print(line.printable) }
        try Self.show("context", entry.context, connection)
        try Self.show("event", entry.payload, connection)
    }

    static func lines(_ entry: Quarantine.Entry) -> [String] {
        let item = entry.item
        let place = item.pointer.map { " at \($0)" } ?? ""
        var facts: [(String, String?)] = [
            (item.journey == nil ? "event" : "id", item.id.description), ("reason", item.reason + place),
            ("why", item.message), ("journey", item.journey), ("stored event", item.eventID?.description),
            ("source", item.source), ("activity", item.activity), ("received", item.receivedAt.iso8601),
            ("said", entry.time?.iso8601), ("sent", entry.sentAt?.iso8601), ("client's id", item.clientID),
            ("session", item.sessionID), ("profile", item.profileID?.description),
            ("profile sent", entry.sentProfile), ("user agent", entry.userAgent),
            ("request", entry.task?.description), ("server", entry.instance?.description),
        ]
        if let at = item.requestedAt { facts.append(("replay", "asked for at \(at.iso8601), on its way")) }
        if let at = item.replayedAt {
            facts.append(("replayed", "\(item.attempts) × in vain, last at \(at.iso8601)"))
        }
        return facts.compactMap { name, value in
            value.map { name + String(repeating: " ", count: 14 - name.count) + $0 }
        }
    }

    /// A JSON text, laid out over lines.
    private static func show(
        _ name: String, _ text: String?, _ connection: Connection
    ) throws(PostgresError) {
        guard let text else { return }
        let rows = try connection.execute("select jsonb_pretty($1::text::jsonb)", text)
        print("\n\(name)")
        for line in rows.string(0, 0).split(separator: "\n") { print("  \(String(line).printable)") }
    }

    static func json(_ entry: Quarantine.Entry) -> String {
        var json = JSONWriter(capacity: 4096)
        var (payload, context) = (entry.payload, entry.context ?? "")
        json.object { json in
            entry.item.write(to: &json)
            json.member("time", entry.time)
            json.member("sent_at", entry.sentAt)
            json.member("sent_profile", entry.sentProfile)
            json.member("user_agent", entry.userAgent)
            json.member("task", entry.task)
            json.member("instance", entry.instance)
            context.withUTF8 { json.member("context", json: Bytes($0)) }
            payload.withUTF8 { json.member("payload", json: Bytes($0)) }
        }
        return json.text
    }
}
