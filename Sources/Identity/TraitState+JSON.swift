import Foundations
import Payload

/// A state as the table `trait` keeps it:
///
///     {"value": "ACME", "op": "set", "at": "2026-…Z", "event": "…", "latest": "2026-…Z", "latest_event": "…",
///      "history": [{"op": "set", "value": "ACME", "at": "2026-…Z", "event": "…", "source": "crm"}, …]}
extension TraitState {
    package func append(to json: inout JSONWriter) {
        json.object { json in
            value.unwrapped { json.member("value", json: $0) }
            json.member("op", operation.rawValue)
            if let base {
                json.member("at", base.at)
                json.member("event", base.event)
            }
            json.member("latest", latest.at)
            json.member("latest_event", latest.event)
            json.array("history") { json in for entry in history { entry.append(to: &json) } }
        }
    }

    package var json: [UInt8] {
        var json = JSONWriter(capacity: 256)
        append(to: &json)
        return Array(json.bytes)
    }

    /// Nil: it is no state that this version wrote.
    package init?(_ node: JSONNode) {
        guard let operation = node.operation, let latest = node.stamp("latest", "latest_event") else {
            return nil
        }
        let value = node.member("value").flatMap { $0.isNull && operation == .unset ? nil : Array($0.bytes) }
        let entries = node.member("history").map { $0.elements.compactMap(Entry.init) } ?? []
        self.init(
            value: value, operation: operation, base: node.stamp("at", "event"), latest: latest,
            history: entries)
    }
}

extension TraitState.Entry {
    fileprivate func append(to json: inout JSONWriter) {
        json.object { json in
            json.member("op", operation.rawValue)
            value.withUnsafeBytes { json.member("value", json: $0) }
            json.member("at", stamp.at)
            json.member("event", stamp.event)
            json.member("source", source)
        }
    }

    fileprivate init?(_ node: JSONNode) {
        guard let operation = node.operation, let stamp = node.stamp("at", "event"),
            let value = node.member("value"), let source = node.member("source")
        else { return nil }
        var text = ByteBuffer()
        source.appendText(to: &text)
        self.init(operation: operation, value: Array(value.bytes), stamp: stamp, source: text.bytes.text)
    }
}

extension JSONNode {
    fileprivate var operation: TraitMapping.Operation? {
        member("op").flatMap { TraitMapping.Operation(rawValue: $0.contents.text) }
    }

    fileprivate func stamp(_ time: StaticString, _ event: StaticString) -> TraitState.Stamp? {
        guard let at = member(time).flatMap({ EventTime.parse($0) }),
            let id = member(event).flatMap({ UUID($0.contents) })
        else { return nil }
        return TraitState.Stamp(at, id)
    }
}

extension Optional<[UInt8]> {
    /// Calls the body with the bytes, or with none.
    fileprivate func unwrapped(_ body: (Bytes) -> Void) {
        guard let self else { return body(.empty) }
        self.withUnsafeBytes { body($0) }
    }
}
