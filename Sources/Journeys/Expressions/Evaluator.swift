import Foundations
import Payload

/// The one evaluator: total, three-valued, bounded by a budget of steps and by the tree's depth.
struct Evaluator {
    let facts: Facts

    /// Where bare names and `it` are looked up.
    struct Scope {
        enum Names {
            case none
            case json(JSONNode)
            case row(Rows, Int)
        }
        var names: Names
        var it: Operand = .unknown

        static var none: Scope { Scope(names: .none) }
    }

    /// The value may point into texts that the facts keep, and the last use of the facts may be here: whoever made
    /// them asks for the flag, or looks at the value in a closure, or keeps them in another way.
    func value(_ expression: Expression) -> Operand { value(expression.root) }

    private func value(_ node: Node) -> Operand {
        facts.refill()
        let result = evaluate(node, outermost)
        return facts.budget > 0 ? result : .unknown
    }

    /// Gives the value away for as long as `body` runs.
    func value<Result>(_ expression: Expression, _ body: (Operand) -> Result) -> Result {
        withExtendedLifetime(facts) { body(value(expression)) }
    }

    /// True, false, or nil: unknown, or no truth at all.
    func flag(_ expression: Expression) -> Bool? { flag(expression.root) }
    func flag(_ node: Node) -> Bool? { withExtendedLifetime(facts) { value(node).flag } }

    var outermost: Scope {
        guard let event = facts.event else { return .none }
        return Scope(names: .json(event.root))
    }

    // MARK: -

    func evaluate(_ node: Node, _ scope: Scope) -> Operand {
        guard facts.spend(1) else { return .unknown }
        switch node.kind {
        case .number(let number): return .number(number)
        case .text(let name): return .text(name.bytes)
        case .flag(let flag): return .flag(flag)
        case .list(let nodes): return .list(nodes.map { evaluate($0, scope) })
        case .property(let name): return property(name, scope)
        case .it: return scope.it
        case .entry: return facts.entry.map(Operand.event) ?? .unknown
        case .attributes: return facts.attributesNode.map { Operand($0) } ?? .unknown
        case .eventType, .eventTime, .eventSource: return eventField(node.kind)
        case .scoreBand, .scorePoints: return score(node.kind)
        case .member(let object, let name): return member(object, name, scope)
        case .not(let operand): return Operand(evaluate(operand, scope).flag.map { !$0 })
        case .minus(let operand): return Operand(evaluate(operand, scope).number.map { -$0 })
        case .and(let nodes): return combine(nodes, scope, decisive: false)
        case .or(let nodes): return combine(nodes, scope, decisive: true)
        case .choice(let condition, let yes, let no):
            guard let flag = evaluate(condition, scope).flag else { return .unknown }
            return evaluate(flag ? yes : no, scope)
        case .compare(let comparison, let a, let b):
            return Operand(compare(comparison, evaluate(a, scope), evaluate(b, scope)))
        case .isIn(let a, let b): return Operand(isIn(evaluate(a, scope), evaluate(b, scope)))
        case .matches(let a, let b): return Operand(matches(evaluate(a, scope), evaluate(b, scope)))
        case .contains(let a, let b): return Operand(contains(evaluate(a, scope), evaluate(b, scope)))
        case .arithmetic(let operation, let a, let b):
            return calculate(operation, evaluate(a, scope), evaluate(b, scope))
        case .over(let aggregate, let array, let argument): return over(aggregate, array, argument, scope)
        case .rows(let columns): return rows(columns, scope)
        case .exists(let operand):
            let isUnknown = evaluate(operand, scope).isUnknown
            return facts.budget > 0 ? .flag(!isUnknown) : .unknown
        case .inSegment(let name): return inSegment(name)
        case .did(let activity, let condition, let window): return did(activity, condition, window)
        case .last(let activity): return last(activity)
        case .now: return .time(facts.now)
        case .hour: return .number(Decimal(facts.zone.local(facts.now).hour))
        }
    }

    /// `&&` is decided by a false, `||` by a true; else something unknown makes it unknown.
    private func combine(_ nodes: [Node], _ scope: Scope, decisive: Bool) -> Operand {
        var isKnown = true
        for node in nodes {
            guard let flag = evaluate(node, scope).flag else {
                isKnown = false
                continue
            }
            if flag == decisive { return .flag(decisive) }
        }
        return isKnown ? .flag(!decisive) : .unknown
    }

    // MARK: Names

    private func property(_ name: Name, _ scope: Scope) -> Operand {
        switch scope.names {
        case .none: .unknown
        case .json(let node): Operand(node.member(name))
        case .row(let rows, let row): rows.value(name, row)
        }
    }

    private func member(_ object: Node, _ name: Name, _ scope: Scope) -> Operand {
        // The attributes of a profile, without a value for all of them.
        if case .attributes = object.kind { return facts.attribute(name) }
        switch evaluate(object, scope) {
        case .json(let node): return Operand(node.member(name))
        case .row(let rows, let row): return rows.value(name, row)
        case .event(let reading):
            let isEntry = if case .entry = object.kind { true } else { false }
            let time = reading.occurrence.map { Operand.time($0.time) } ?? .unknown
            guard name.text == "time" else { return Operand(reading.root.member(name)) }
            // `last(…).time` is the moment; `entry.time` a property, where there is one.
            return isEntry ? reading.root.member(name).map { Operand($0) } ?? time : time
        default: return .unknown
        }
    }

    private func eventField(_ kind: Node.Kind) -> Operand {
        guard let event = facts.event?.occurrence else { return .unknown }
        switch kind {
        case .eventType: return .text(Array(event.activity.utf8))
        case .eventSource: return .text(Array(event.source.utf8))
        default: return .time(event.time)
        }
    }

    private func score(_ kind: Node.Kind) -> Operand {
        switch kind {
        case .scoreBand(let name):
            return facts.scoreOf(name)?.band.map { .text(Array($0.utf8)) } ?? .unknown
        case .scorePoints(let name): return Operand(facts.scoreOf(name)?.points)
        default: return .unknown
        }
    }

    private func inSegment(_ name: String) -> Operand {
        guard let segment = facts.segment(name), facts.segmentDepth < 16 else { return .unknown }
        facts.segmentDepth += 1
        defer { facts.segmentDepth -= 1 }
        return Operand(evaluate(segment.root, .none).flag)
    }

    // MARK: History

    private func did(_ activity: String, _ condition: Node?, _ window: Int64?) -> Operand {
        var count = 0
        facts.visit(activity, window: window) { occurrence in
            guard facts.spend(2) else { return false }
            if let condition {
                let reading = Reading(occurrence)
                guard evaluate(condition, Scope(names: .json(reading.root))).flag == true else { return true }
            }
            count += 1
            if let window { facts.mayChange(at: occurrence.time.adding(microseconds: window)) }
            return true
        }
        return facts.budget > 0 ? .number(Decimal(count)) : .unknown
    }

    private func last(_ activity: String) -> Operand {
        var found: Reading?
        facts.visit(activity, window: nil) { occurrence in
            found = facts.keep(occurrence)
            return false
        }
        return found.map(Operand.event) ?? .unknown
    }
}
