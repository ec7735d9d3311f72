import Foundations
import Payload

/// Looks into events for what a source's rules name.
///
/// Values of a wrong type (an array as an e-mail address, a text to be added) are ignored and counted: they never
/// cost the event anything.
package struct SignReader: ~Copyable {
    private let rules: IdentityRules
    private let metrics: IdentityMetrics
    private var properties = JSONDocument()
    private var context = JSONDocument()
    private var requestContext = JSONDocument()
    private var changed = JSONDocument()
    /// What applies to the last event; the next one is often of the same source and activity.
    private var last = Applying()

    package init(_ rules: IdentityRules, metrics: IdentityMetrics) {
        (self.rules, self.metrics) = (rules, metrics)
    }

    /// Nil: the event says nothing.
    package mutating func read(
        _ event: EventView, _ number: Int, of claim: Claim, _ claimNumber: Int
    ) -> Sign? {
        if !last.is(source: claim.source, activity: event.activity) {
            last = Applying(rules, source: claim.source, activity: event.activity)
        }
        if last.isEmpty { return nil }
        parse(event, claim)
        var sign = Sign(event: number, claim: claimNumber)
        for mapping in last.mappings { add(mapping, to: &sign) }
        for point in last.points { add(point, to: &sign) }
        if claim.basis == .none, let url = last.asking?.url {
            sign.question = url.filled { path in
                value(at: IdentityRules.Path(path)).flatMap { text(of: $0) }
            }
        }
        if sign.shown.isEmpty, sign.changes.isEmpty, sign.question == nil { return nil }
        return sign
    }

    /// The rules of one source that apply to one activity.
    private struct Applying {
        var source: [UInt8] = []
        var activity: [UInt8] = []
        var points: [IdentityRules.Point] = []
        var mappings: [IdentityRules.Mapping] = []
        var asking: IdentityRules.Asking?

        init() {}

        init(_ rules: IdentityRules, source: Bytes, activity: Bytes) {
            (self.source, self.activity) = (Array(source), Array(activity))
            guard let rules = rules.rules(of: source) else { return }
            func applies(_ patterns: [Pattern]) -> Bool { patterns.isEmpty || patterns.matches(activity) }
            points = rules.points.filter { applies($0.activities) }
            mappings = rules.mappings.filter { applies($0.activities) }
            asking = rules.lookup.flatMap { applies($0.activities) ? $0 : nil }
        }

        var isEmpty: Bool { points.isEmpty && mappings.isEmpty && asking == nil }

        func `is`(source: Bytes, activity: Bytes) -> Bool {
            self.activity.withUnsafeBytes { $0.equals(activity) }
                && self.source.withUnsafeBytes { $0.equals(source) }
        }
    }

    private mutating func parse(_ event: EventView, _ claim: Claim) {
        if (try? properties.parse(event.properties)) == nil { properties.reset() }
        if event.context.count == 0 || (try? context.parse(event.context)) == nil { context.reset() }
        if claim.context.count == 0 || (try? requestContext.parse(claim.context)) == nil {
            requestContext.reset()
        }
    }

    // MARK: Identities

    private mutating func add(_ point: IdentityRules.Point, to sign: inout Sign) {
        guard point.path.root == .traits else {
            if let node = value(at: point.path) { add(node, point, to: &sign) }
            return
        }
        // A trait is what this very event sets.
        let name = point.path.names.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
        let change = sign.changes.last {
            $0.trait == name && ($0.operation == .set || $0.operation == .setOnce)
        }
        guard let change else { return }
        change.value.withUnsafeBytes { bytes in
            if (try? changed.parse(bytes)) != nil { add(changed.root, point, to: &sign) }
        }
    }

    private func add(_ node: JSONNode, _ point: IdentityRules.Point, to sign: inout Sign) {
        guard let text = identityText(node),
            let value = IdentityForm.normalize(text, rules.kinds[point.kind].form, country: point.country)
        else {
            // Nothing is not a wrong value: pages send empty fields.
            if !node.isNull, !(node.kind == .string && node.contents.trimmed.count == 0) {
                metrics.ignoredValues.add()
            }
            return
        }
        let shown = Sign.Shown(
            kind: point.kind, value: Array(value.utf8), within: point.within, trait: point.trait)
        if !sign.shown.contains(where: { $0.kind == shown.kind && $0.value == shown.value }) {
            sign.shown.append(shown)
        }
    }

    /// A text, or a whole number (customers have numbers).
    private func identityText(_ node: JSONNode) -> String? {
        switch node.kind {
        case .string: return text(of: node).map { String(decoding: $0, as: UTF8.self) }
        case .number:
            guard node.bytes.count <= IdentityForm.longest, let number = Decimal(node.bytes) else {
                return nil
            }
            let text = number.description
            return text.utf8.contains(UInt8(ascii: ".")) ? nil : text
        default: return nil
        }
    }

    // MARK: Traits

    private func add(_ mapping: IdentityRules.Mapping, to sign: inout Sign) {
        let value: [UInt8]
        switch mapping.value {
        case .constant(let json): value = json
        case .from(let path):
            guard let node = self.value(at: path) else { return }
            // A null says that there is no value, not that it is to be removed.
            if node.isNull { return }
            guard fits(node, mapping), node.bytes.count <= TraitState.longestValue else {
                metrics.ignoredValues.add()
                return
            }
            var json = ByteBuffer(capacity: node.bytes.count)
            node.appendJSON(to: &json)
            value = Array(json.bytes)
        }
        sign.changes.append(TraitChange(mapping.trait, mapping.operation, value))
    }

    private func fits(_ node: JSONNode, _ mapping: IdentityRules.Mapping) -> Bool {
        switch mapping.operation {
        case .unset: true
        case .increment: node.kind == .number && Decimal(node.bytes) != nil
        case .append:
            mapping.content == .list || node.kind != .array
                ? mapping.content == .list || fits(node, mapping.content)
                : node.elements.allSatisfy { fits($0, mapping.content) }
        case .set, .setOnce: fits(node, mapping.content)
        }
    }

    private func fits(_ node: JSONNode, _ content: TraitRule.Content) -> Bool {
        switch content {
        case .any: true
        case .list: node.kind == .array
        case .text: node.kind == .string
        case .number: node.kind == .number
        case .boolean: node.kind == .true || node.kind == .false
        case .time: EventTime.parse(node) != nil
        }
    }

    // MARK: Values

    private func value(at path: IdentityRules.Path) -> JSONNode? {
        switch path.root {
        case .properties: properties.root.member(at: path.names)
        case .context: context.root.member(at: path.names) ?? requestContext.root.member(at: path.names)
        case .traits: nil
        }
    }

    private func text(of node: JSONNode) -> [UInt8]? {
        switch node.kind {
        case .string, .number, .true, .false:
            var buffer = ByteBuffer(capacity: node.bytes.count)
            node.appendText(to: &buffer)
            return Array(buffer.bytes)
        default: return nil
        }
    }
}

extension JSONNode {
    /// The value under a key of a value under a key, and so on.
    func member(at names: [[UInt8]]) -> JSONNode? {
        var node = self
        for name in names {
            guard let next = name.withUnsafeBytes({ node.member(decoded: $0) }) else { return nil }
            node = next
        }
        return node
    }
}
