import Activities
import ArgumentParser
import Foundations
import Payload
import Postgres

struct ActivitiesShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show an activity's parameters, views and latest changes.",
        discussion: """
            COLUMN is the parameter's column in the typed view. SAMPLES are values as they came; there are none for \
            what looks personal, which is marked instead.

            EXAMPLES
              waymark activities show product-purchase
              waymark activities show "Product Purchase" --json
            """)

    @OptionGroup var activity: ActivityArgument
    @Flag(help: "Write JSON.") var json = false
    @OptionGroup var file: ConfigurationOption

    /// Latest changes that are shown.
    private static let changes = 10

    func run() throws {
        let connection = try file.connect("activities show")
        defer { connection.close() }
        let key = try activity.key(connection)
        guard let detail = try Catalogue.activity(key, connection) else { throw ExitCode.failure }
        let drift = try Catalogue.drift(key, limit: Self.changes, after: nil, connection)
        if json { return print(Self.json(detail, drift?.items ?? [])) }
        Self.show(detail, now: Clock.system.now())
        guard let drift, !drift.items.isEmpty else { return }
        print("\nchanges, the latest first\(drift.next == nil ? "" : " (all: waymark activities drift)")")
        ActivitiesDriftCommand.show(drift.items)
    }

    static func show(_ detail: ActivityDetail, now: Timestamp) {
        let item = detail.listing
        print("\(item.label.printable)  (\(item.key.printable), id \(item.id))")
        if let events = item.events, let first = item.firstSeen, let last = item.lastSeen {
            print("events    \(events) from \(item.sources.joined(separator: ", ").printable)")
            print("seen      \(first.short) to \(last.short) (\(last.ago(now)))")
        }
        if let frozen = item.frozen {
            print("frozen    since \(frozen.since.short); what is too much: \(frozen.extra.rawValue)")
        }
        for view in detail.views { print("view      activities.\(quoted(view.name))") }
        if detail.truncated > 0 { print("truncated \(detail.truncated) values: too many parameters") }
        print()
        var table = Table(
            "PARAMETER", "TYPES", "PRESENCE", "RANGE", .right("DISTINCT"), "SAMPLES", "COLUMN")
        for parameter in detail.parameters {
            table.add(
                parameter.path, parameter.typesText, parameter.presenceText, parameter.rangeText,
                parameter.distinctText, parameter.samplesText, parameter.column ?? "")
        }
        table.print()
    }

    private static func quoted(_ name: String) -> String {
        let doubled = name.unicodeScalars.map { $0 == "\"" ? "\"\"" : String($0) }.joined()
        return "\"" + doubled.printable + "\""
    }

    static func json(_ detail: ActivityDetail, _ drift: [DriftListing]) -> String {
        var json = JSONWriter(capacity: 16 << 10)
        json.object { json in
            detail.listing.write(to: &json)
            json.member("truncated", detail.truncated)
            json.array("views") { json in
                for view in detail.views {
                    json.object { json in
                        json.member("name", view.name)
                        json.array("columns") { json in
                            for column in view.columns {
                                json.object { json in
                                    json.member("name", column.name)
                                    json.member("type", column.kind.rawValue)
                                }
                            }
                        }
                    }
                }
            }
            json.array("parameter_list") { json in
                for parameter in detail.parameters { json.object { parameter.write(to: &$0) } }
            }
            json.array("drift") { json in
                for entry in drift { json.object { entry.write(to: &$0) } }
            }
        }
        return json.text
    }
}

extension ParameterListing {
    var typesText: String {
        if types.count == 1 { return types[0].name }
        return types.map { $0.count > 0 ? "\($0.name) \($0.count)" : $0.name }.joined(separator: ", ")
    }

    var presenceText: String {
        let gone = vanishedAt == nil ? "" : ", gone"
        if presence == "required" { return presence + gone }
        let percent = Int(((1 - missing) * 100).rounded(.down))
        return events == nil ? presence : "\(presence) \(percent) %\(gone)"
    }

    var rangeText: String {
        if let minimum, let maximum { return minimum == maximum ? minimum : "\(minimum) to \(maximum)" }
        if let lengths = arrayLength { return Self.text(lengths, "elements") }
        if let lengths = textLength { return Self.text(lengths, "characters") }
        return ""
    }

    private static func text(_ range: ClosedRange<Int>, _ unit: String) -> String {
        range.lowerBound == range.upperBound
            ? "\(range.lowerBound) \(unit)" : "\(range.lowerBound) to \(range.upperBound) \(unit)"
    }

    var distinctText: String { distinct.map { (isDistinctExact ? "" : "~") + "\($0)" } ?? "" }

    var samplesText: String {
        if !personal.isEmpty { return "personal: " + personal.joined(separator: ", ") }
        let values = frequent.isEmpty ? samples : frequent.map(\.text)
        return values.prefix(4).joined(separator: " · ")
    }

    func write(to json: inout JSONWriter) {
        json.member("path", path)
        json.member("column", column)
        json.object("types") { json in for type in types { json.member(type.name, type.count) } }
        json.member("presence", presence)
        json.member("events", events)
        json.member("missing", missing)
        number("minimum", minimum, &json)
        number("maximum", maximum, &json)
        number("mean", mean, &json)
        range("text_length", textLength, &json)
        range("array_length", arrayLength, &json)
        json.member("distinct", distinct)
        json.member("distinct_exact", isDistinctExact)
        json.array("frequent") { json in
            for value in frequent {
                json.object { json in
                    json.member("value", value.text)
                    json.member("count", value.count)
                    json.member("exact", value.isExact)
                }
            }
        }
        json.member("samples", samples)
        json.member("personal", personal)
        json.member("table", table)
        json.member("first_seen", firstSeen)
        json.member("last_seen", lastSeen)
        json.member("first_event", firstEvent)
        json.member("first_source", firstSource)
        json.member("first_client", firstClient)
        json.member("vanished_at", vanishedAt)
    }

    /// Decimal text as the number that it is.
    private func number(_ name: String, _ value: String?, _ json: inout JSONWriter) {
        guard var value else { return json.member(name, nil as String?) }
        value.withUTF8 { json.member(name, json: Bytes($0)) }
    }

    private func range(_ name: String, _ range: ClosedRange<Int>?, _ json: inout JSONWriter) {
        guard let range else { return json.member(name, nil as Int?) }
        json.array(name) { json in
            json.element(range.lowerBound)
            json.element(range.upperBound)
        }
    }
}
