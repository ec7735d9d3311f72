import Foundations
import Payload

extension Evaluator {
    /// The elements of an array, a list or rows, until the body says false. False: it is none of these.
    func forEach(_ array: Operand, _ body: (Operand) -> Bool) -> Bool {
        switch array {
        case .json(let node):
            guard node.kind == .array else { return false }
            for element in node.elements {
                guard facts.spend(1), body(Operand(element)) else { break }
            }
        case .list(let list):
            for element in list { guard facts.spend(1), body(element) else { break } }
        case .rows(let rows):
            for row in 0..<rows.count { guard facts.spend(1), body(.row(rows, row)) else { break } }
        default: return false
        }
        return true
    }

    /// Inside, bare names belong to the element; if it is no object, they still mean what they meant outside.
    private func scope(_ element: Operand, _ outer: Scope) -> Scope {
        switch element {
        case .json(let node) where node.kind == .object: Scope(names: .json(node), it: element)
        case .row(let rows, let row): Scope(names: .row(rows, row), it: element)
        default: Scope(names: outer.names, it: element)
        }
    }

    func over(
        _ aggregate: Node.Aggregate, _ array: Node, _ argument: Node?, _ outer: Scope
    ) -> Operand {
        let operand = evaluate(array, outer)
        func inner(_ element: Operand) -> Operand {
            argument.map { evaluate($0, scope(element, outer)) } ?? element
        }
        switch aggregate {
        case .any, .all, .none:
            return quantify(aggregate, operand, argument == nil ? { _ in .flag(true) } : inner)
        case .count: return count(operand, argument == nil ? { _ in .flag(true) } : inner)
        case .sum, .avg: return sum(operand, isAverage: aggregate == .avg, inner)
        case .min, .minBy: return best(operand, .less, isBy: aggregate == .minBy, inner)
        case .max, .maxBy: return best(operand, .more, isBy: aggregate == .maxBy, inner)
        case .first, .last:
            return pick(operand, isLast: aggregate == .last, argument == nil ? { _ in .flag(true) } : inner)
        }
    }

    /// Of none, `any` and `all` are false and `none` is true.
    private func quantify(
        _ aggregate: Node.Aggregate, _ array: Operand, _ test: (Operand) -> Operand
    ) -> Operand {
        let decisive = aggregate != .all
        var (isKnown, isDecided, isEmpty) = (true, false, true)
        let isArray = forEach(array) { element in
            isEmpty = false
            let flag = test(element).flag
            if flag == nil { isKnown = false }
            isDecided = flag == decisive
            return !isDecided
        }
        guard isArray else { return .unknown }
        if isEmpty { return .flag(aggregate == .none) }
        if isDecided { return .flag(aggregate == .any) }
        return isKnown ? .flag(aggregate != .any) : .unknown
    }

    /// How many elements the test is true for.
    private func count(_ array: Operand, _ test: (Operand) -> Operand) -> Operand {
        var count = 0
        let isArray = forEach(array) { element in
            if test(element).flag == true { count += 1 }
            return true
        }
        return isArray ? .number(Decimal(count)) : .unknown
    }

    private func sum(_ array: Operand, isAverage: Bool, _ value: (Operand) -> Operand) -> Operand {
        var sum: Decimal? = .zero
        var count = 0
        let isArray = forEach(array) { element in
            count += 1
            guard let before = sum, let more = value(element).number, facts.spend(before.size) else {
                sum = nil
                return false
            }
            sum = Decimal.sum(before, more)
            return true
        }
        guard isArray, let sum else { return .unknown }
        return isAverage ? Operand(Decimal.quotient(sum, Decimal(count))) : .number(sum)
    }

    /// The least or the greatest value, or the first element that has it; unknown when values cannot be compared.
    private func best(
        _ array: Operand, _ better: Node.Comparison, isBy: Bool, _ value: (Operand) -> Operand
    ) -> Operand {
        var best: (element: Operand, value: Operand)?
        var isKnown = true
        let isArray = forEach(array) { element in
            let value = value(element)
            guard let before = best else {
                isKnown = compare(.equal, value, value) == true
                best = (element, value)
                return isKnown
            }
            guard let isBetter = compare(better, value, before.value) else {
                isKnown = false
                return false
            }
            if isBetter { best = (element, value) }
            return true
        }
        guard isArray, isKnown, let best else { return .unknown }
        return isBy ? best.element : best.value
    }

    private func pick(_ array: Operand, isLast: Bool, _ test: (Operand) -> Operand) -> Operand {
        var found: Operand = .unknown
        let isArray = forEach(array) { element in
            guard test(element).flag == true else { return true }
            found = element
            return isLast
        }
        return isArray ? found : .unknown
    }

    func rows(_ columns: [Node.Column], _ scope: Scope) -> Operand {
        var values: [[Operand]] = []
        for column in columns {
            var list: [Operand] = []
            let isArray = forEach(evaluate(column.node, scope)) { element in
                list.append(element)
                return true
            }
            guard isArray else { return .unknown }
            values.append(list)
        }
        return .rows(Rows(names: columns.map(\.name), columns: values))
    }
}
