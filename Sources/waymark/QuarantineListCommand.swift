import ArgumentParser
import Foundations
import Loader
import Payload
import Postgres

struct QuarantineListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List what is in the quarantine: groups first, then events.",
        discussion: """
            The latest come first. For the next page, give the last id as --after; it has the events alone.

            EXAMPLES
              waymark quarantine list
              waymark quarantine list --reason malformed --since 1d
              waymark quarantine list --json | jq '.groups[] | [.reason, .count]'
            """)

    @OptionGroup var selection: QuarantineSelection
    @Option(help: ArgumentHelp("At most so many groups, and so many events.", valueName: "NUMBER"))
    var limit = 20
    @Option(help: ArgumentHelp("Only events that stand after this one.", valueName: "ID"))
    var after: String?
    @Flag(help: "Write JSON.") var json = false
    @OptionGroup var file: ConfigurationOption

    func validate() throws {
        guard 1...10_000 ~= limit else { throw ValidationError("--limit is 1 to 10000") }
    }

    func run() throws {
        let (filter, last) = (try selection.filter(), try after.map(QuarantineSelection.id))
        let connection = try file.connect("quarantine list")
        defer { connection.close() }
        let groups = last == nil ? try Quarantine.groups(filter, limit: limit, connection) : []
        var items = try Quarantine.items(filter, after: last, limit: limit + 1, connection)
        let hasMore = items.count > limit
        if hasMore { items.removeLast() }
        if json { return print(Self.json(groups, items, hasMore ? items.last?.id : nil)) }
        if items.isEmpty { return print("nothing is in the quarantine here") }
        if last == nil { Self.show(groups) }
        Self.show(items)
        if hasMore, let id = items.last?.id { print("\nmore: --after \(id)") }
    }

    private static func show(_ groups: [Quarantine.Group]) {
        var table = Table("REASON", "SOURCE", "ACTIVITY", .right("EVENTS"), "FIRST", "LAST", "FOR EXAMPLE")
        for group in groups {
            table.add(
                group.journey.map { "\(group.reason) \($0)" } ?? group.reason, group.source,
                group.activity ?? "", "\(group.count)", group.first.short,
                group.last.short, group.message ?? "")
        }
        table.print()
        print()
    }

    private static func show(_ items: [Quarantine.Item]) {
        var table = Table("EVENT", "RECEIVED", "SOURCE", "ACTIVITY", "REASON", "WHERE", "WHY", "REPLAY")
        for item in items {
            table.add(
                item.id.description, item.receivedAt.short, item.source, item.activity ?? "", item.reason,
                item.journey ?? item.pointer ?? "", item.message ?? "", item.replayText)
        }
        table.print()
    }

    static func json(_ groups: [Quarantine.Group], _ items: [Quarantine.Item], _ next: UUID?) -> String {
        var json = JSONWriter(capacity: 16 << 10)
        json.object { json in
            json.array("groups") { json in
                for group in groups {
                    json.object { json in
                        json.member("reason", group.reason)
                        json.member("source", group.source)
                        json.member("activity", group.activity)
                        json.member("journey", group.journey)
                        json.member("count", group.count)
                        json.member("first", group.first)
                        json.member("last", group.last)
                        json.member("example", group.example)
                        json.member("message", group.message)
                    }
                }
            }
            json.array("items") { json in
                for item in items { json.object { item.write(to: &$0) } }
            }
            json.member("next", next)
        }
        return json.text
    }
}

extension Quarantine.Item {
    /// Whether a replay is on its way, or did not help.
    var replayText: String {
        if requestedAt != nil { return "on its way" }
        return attempts == 0 ? "" : "stayed \(attempts) ×"
    }

    func write(to json: inout JSONWriter) {
        json.member("id", id)
        json.member("received_at", receivedAt)
        json.member("source", source)
        json.member("activity", activity)
        json.member("journey", journey)
        json.member("event_id", eventID)
        json.member("reason", reason)
        json.member("pointer", pointer)
        var text = detail ?? ""
        text.withUTF8 { json.member("detail", json: Bytes($0)) }
        json.member("client_id", clientID)
        json.member("session_id", sessionID)
        json.member("profile_id", profileID)
        json.member("requested_at", requestedAt)
        json.member("attempts", attempts)
        json.member("replayed_at", replayedAt)
    }
}
