import Activities
import ArgumentParser
import Foundations
import Payload
import Postgres

struct ActivitiesListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the activities (the default).",
        discussion: """
            In the order of their keys. RATE is how many come in, over the latest 200 of them. Ids below 101 are \
            activities that the server makes itself.

            EXAMPLES
              waymark activities
              waymark activities --json | jq -r '.items[] | [.key, .events] | @tsv'
            """)

    @Flag(help: "Write JSON.") var json = false
    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let connection = try file.connect("activities")
        defer { connection.close() }
        var items: [ActivityListing] = []
        var next: String?
        repeat {
            let page = try Catalogue.list(limit: 1000, after: next, connection)
            items += page.items
            next = page.next
        } while next != nil
        let overflows = try Catalogue.overflows(connection)
        let gap = try Catalogue.gap(connection)
        if json { return print(Self.json(items, overflows, gap)) }
        Self.show(items, now: Clock.system.now())
        for (source, overflow) in overflows {
            printError(
                """
                waymark: the catalogue is full for \(source.printable): \(overflow.events) events were stored and not \
                learnt from, such as \(overflow.activity.printable) (limits.activities)
                """)
        }
        if let gap {
            printError(
                """
                waymark: events before \(gap.iso8601) are stored and were not learnt from: `waymark activities \
                rebuild` mends it
                """)
        }
    }

    static func show(_ items: [ActivityListing], now: Timestamp) {
        var table = Table(
            "ACTIVITY", .right("ID"), "LABEL", .right("EVENTS"), .right("RATE"), .right("PARAMETERS"),
            "SOURCES",
            "LAST SEEN", "FROZEN")
        for item in items {
            table.add(
                item.key, "\(item.id)", item.label, item.events.map { "\($0)" } ?? "", item.rateText,
                "\(item.parameters)", item.sources.joined(separator: ", "), item.lastSeen?.ago(now) ?? "",
                item.frozen?.extra.rawValue ?? "")
        }
        table.print()
    }

    static func json(
        _ items: [ActivityListing], _ overflows: [(source: String, overflow: Overflow)], _ gap: Timestamp?
    ) -> String {
        var json = JSONWriter(capacity: 16 << 10)
        json.object { json in
            json.array("items") { json in
                for item in items { json.object { item.write(to: &$0) } }
            }
            json.array("overflows") { json in
                for (source, overflow) in overflows {
                    json.object { json in
                        json.member("source", source)
                        json.member("events", overflow.events)
                        json.member("activity", overflow.activity)
                    }
                }
            }
            json.member("gap_at", gap)
        }
        return json.text
    }
}

extension ActivityListing {
    /// `3.2/s`, `40/min`, `7/h`, or `0.5/d`: with the unit that makes it a number to be read.
    var rateText: String {
        guard let rate else { return "" }
        for (length, unit) in [(1.0, "s"), (60, "min"), (3600, "h"), (86_400, "d")]
        where rate * length >= 1 || unit == "d" {
            let value = rate * length
            let tenths = Int((value * 10).rounded())
            return value < 10 ? "\(tenths / 10).\(tenths % 10)/\(unit)" : "\(Int(value.rounded()))/\(unit)"
        }
        return ""
    }

    func write(to json: inout JSONWriter) {
        json.member("key", key)
        json.member("id", id)
        json.member("label", label)
        json.member("events", events)
        json.member("parameters", parameters)
        json.member("sources", sources)
        json.member("first_seen", firstSeen)
        json.member("last_seen", lastSeen)
        json.member("rate", rate)
        json.member("view", view)
        json.member("frozen_since", frozen?.since)
        json.member("extra", frozen?.extra.rawValue)
    }
}
