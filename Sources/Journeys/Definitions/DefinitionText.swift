import Foundations
import Payload

/// Definitions as a YAML file, as `export` writes them: a key a line, its value as canonical JSON. Read again, it gives
/// the same definitions.
package enum DefinitionText {
    package static func yaml(
        journeys: [JourneyDefinition] = [], segments: [SegmentDefinition] = [], scores: [ScoreDefinition] = []
    ) -> String {
        var text = ""
        func section(_ title: String, _ items: [(name: String, state: String?, json: [UInt8])]) {
            if items.isEmpty { return }
            text += "\(title):\n"
            for item in items.sorted(by: { $0.name < $1.name }) {
                text += "  \(quoted(item.name)):\n"
                if let state = item.state { text += "    state: \(state)\n" }
                text += lines(item.json)
            }
        }
        section("segments", segments.map { ($0.name, nil, $0.canonicalJSON) })
        section("scores", scores.map { ($0.name, nil, $0.canonicalJSON) })
        section("journeys", journeys.map { ($0.name, $0.state.rawValue, $0.canonicalJSON) })
        return text
    }

    /// What people read first comes first.
    private static let order = [
        "on", "who", "key", "reentry", "unless", "exit", "goal", "hours", "cap", "control", "start_within",
        "do",
    ]

    private static func lines(_ json: [UInt8]) -> String {
        let reading = Reading(json)
        defer { withExtendedLifetime(reading) {} }
        var members: [(key: String, value: String)] = []
        for (key, value) in reading.root.members { members.append((key.contents.text, value.bytes.text)) }
        let place = { (key: String) in order.firstIndex(of: key) ?? order.count }
        members.sort { (place($0.key), $0.key) < (place($1.key), $1.key) }
        return members.map { "    \($0.key): \($0.value)\n" }.joined()
    }

    private static func quoted(_ name: String) -> String {
        var buffer = ByteBuffer(capacity: name.utf8.count + 2)
        appendJSONString(name, to: &buffer)
        return buffer.bytes.text
    }
}
