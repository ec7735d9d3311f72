import Payload

/// What must be so if a condition on a person is true: less than the condition, and simple enough for SQL.
///
/// It lets too many through, never too few: of what cannot be told, nothing is asked.
package indirect enum CoarseCondition: Sendable, Equatable {
    /// There is an attribute at this path.
    case has(path: [String])
    /// The attribute at this path, as a text, is one of these.
    case isOne(path: [String], of: [String])
    case all([CoarseCondition])
    case any([CoarseCondition])
}

extension Engine {
    /// What must be so of whoever is in the segment; nil: nothing is known.
    package func coarse(_ segment: String) -> CoarseCondition? {
        rules.segments[segment].flatMap { Coarsening(rules: rules).true($0.condition.root) }
    }
}

/// Derives coarse conditions. An unknown part makes a comparison unknown, which is not true: so what is compared has to
/// be there.
private struct Coarsening {
    let rules: Rulebook

    /// What follows from a node that is true.
    func `true`(_ node: Node) -> CoarseCondition? {
        switch node.kind {
        case .and(let nodes): return all(nodes.map { self.true($0) })
        case .or(let nodes): return any(nodes.map { self.true($0) })
        case .choice(_, let yes, let no): return any([self.true(yes), self.true(no)])
        case .exists(let operand): return known(operand)
        case .inSegment(let name): return rules.segments[name].flatMap { self.true($0.condition.root) }
        case .compare(let comparison, let a, let b): return compared(comparison, a, b)
        case .isIn(let value, let list): return isOne(value, of: list) ?? known(value)
        case .matches(let a, let b), .contains(let a, let b): return all([known(a), known(b)])
        default: return known(node)
        }
    }

    /// What follows from a node that has a value.
    private func known(_ node: Node) -> CoarseCondition? {
        if let path = path(node) { return .has(path: path) }
        switch node.kind {
        case .member(let object, _): return known(object)
        case .not(let operand), .minus(let operand): return known(operand)
        case .arithmetic(_, let a, let b), .compare(_, let a, let b): return all([known(a), known(b)])
        case .choice(let condition, _, _): return known(condition)
        default: return nil
        }
    }

    private func compared(_ comparison: Node.Comparison, _ a: Node, _ b: Node) -> CoarseCondition? {
        if comparison == .equal {
            if let path = path(a), let text = text(b) { return .isOne(path: path, of: [text]) }
            if let path = path(b), let text = text(a) { return .isOne(path: path, of: [text]) }
        }
        return all([known(a), known(b)])
    }

    private func isOne(_ value: Node, of list: Node) -> CoarseCondition? {
        guard let path = path(value), case .list(let nodes) = list.kind else { return nil }
        let texts = nodes.compactMap { text($0) }
        return texts.count == nodes.count ? .isOne(path: path, of: texts) : nil
    }

    /// PostgreSQL has no text with a zero.
    private func text(_ node: Node) -> String? {
        guard case .text(let name) = node.kind, !name.bytes.contains(0) else { return nil }
        return name.text
    }

    /// `attr.a.b` → `a`, `b`.
    private func path(_ node: Node) -> [String]? {
        guard case .member(let object, let name) = node.kind, !name.bytes.contains(0) else { return nil }
        if case .attributes = object.kind { return [name.text] }
        return path(object).map { $0 + [name.text] }
    }

    private func all(_ parts: [CoarseCondition?]) -> CoarseCondition? {
        let known = parts.compactMap { $0 }
        return known.count > 1 ? .all(known) : known.first
    }

    /// One part that may be anything makes the whole anything.
    private func any(_ parts: [CoarseCondition?]) -> CoarseCondition? {
        let known = parts.compactMap { $0 }
        return known.count == parts.count ? known.count > 1 ? .any(known) : known.first : nil
    }
}
