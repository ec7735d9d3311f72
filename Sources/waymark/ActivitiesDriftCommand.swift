import Activities
import ArgumentParser
import Foundations
import Payload
import Postgres

struct ActivitiesDriftCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drift", abstract: "Show how an activity changed, with the event that showed it first.",
        discussion: """
            The latest come first. For the next page, give the last number as --after.

            EXAMPLES
              waymark activities drift product-purchase
              waymark activities drift product-purchase --json | jq '.items[] | select(.change == "conflict")'
            """)

    @OptionGroup var activity: ActivityArgument
    @Option(help: ArgumentHelp("At most so many.", valueName: "NUMBER")) var limit = 100
    @Option(help: ArgumentHelp("Only what stands after this one.", valueName: "NUMBER")) var after: String?
    @Flag(help: "Write JSON.") var json = false
    @OptionGroup var file: ConfigurationOption

    func validate() throws {
        guard 1...10_000 ~= limit else { throw ValidationError("--limit is 1 to 10000") }
        if let after, Int64(after) == nil { throw ValidationError("--after is a number") }
    }

    func run() throws {
        let connection = try file.connect("activities drift")
        defer { connection.close() }
        let key = try activity.key(connection)
        guard let page = try Catalogue.drift(key, limit: limit, after: after, connection) else {
            throw ExitCode.failure
        }
        if json { return print(Self.json(page)) }
        if page.items.isEmpty { return print("nothing has changed") }
        Self.show(page.items)
        if let next = page.next { print("\nmore: --after \(next)") }
    }

    static func show(_ items: [DriftListing]) {
        var table = Table(
            .right("NUMBER"), "SINCE", "PARAMETER", "CHANGE", "SOURCE", "FIRST EVENT", "CLIENT")
        for item in items {
            table.add(
                "\(item.id)", item.eventAt.short, item.path ?? "", item.text, item.source,
                item.event.description, item.client)
        }
        table.print()
    }

    static func json(_ page: CataloguePage<DriftListing>) -> String {
        var json = JSONWriter(capacity: 16 << 10)
        json.object { json in
            json.array("items") { json in
                for item in page.items { json.object { item.write(to: &$0) } }
            }
            json.member("next", page.next)
        }
        return json.text
    }
}

extension DriftListing {
    /// In words: `widened: integer → decimal`, `similar name: did you mean price?`
    var text: String {
        let word = String(change.map { $0 == "-" ? " " : $0 })
        if let nearest { return "\(word): did you mean \(nearest)?" }
        switch (from, to) {
        case (let from?, let to?): return "\(word): \(from) → \(to)"
        case (nil, let to?): return "\(word): \(to)"
        case (_, nil): return word
        }
    }

    func write(to json: inout JSONWriter) {
        json.member("id", id)
        json.member("found_at", foundAt)
        json.member("change", change)
        json.member("path", path)
        json.member("from", from)
        json.member("to", to)
        json.member("nearest", nearest)
        json.member("event", event)
        json.member("event_at", eventAt)
        json.member("source", source)
        json.member("client", client)
    }
}
