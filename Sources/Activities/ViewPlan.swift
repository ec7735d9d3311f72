/// Decides which views and columns an activity has, from what it had and what is known of its parameters.
///
/// Pure. Views and columns are only ever added, at the end: whatever ran before, runs on. The parameters come in an
/// order that does not change (the one in which they were first seen, if that is known).
struct ViewPlan {
    private(set) var views: [TypedView]
    private let key: String

    /// - Parameter views: As they are now; the first one is the activity's own. None: it is new.
    init(key: String, views: [TypedView]) {
        self.key = key
        self.views = views
    }

    /// Brings views and columns up to date. `names`: of all views of all activities.
    mutating func follow(
        _ parameters: [ViewParameter], parallel groups: [[[ViewStep]]], names: inout ViewNames
    ) {
        if views.isEmpty { views.append(TypedView(name: names.take(key, for: key), rows: .events)) }
        for parameter in parameters where parameter.steps.last == .elements && parameter.has(.object) {
            guard !parameter.steps.contains(.anyMember) else { continue }
            add(.elements(parameter.steps), named: parameter.steps.name, &names)
        }
        for group in groups where group.count > 1 { addParallel(group, &names) }
        for i in views.indices { views[i].follow(parameters) }
    }

    private mutating func add(_ rows: TypedView.Rows, named name: String, _ names: inout ViewNames) {
        if views.contains(where: { $0.rows == rows }) { return }
        let wanted = key + "." + name
        views.append(TypedView(name: names.take(wanted, for: wanted), rows: rows))
    }

    /// Arrays that join a table which has a view already join that view.
    private mutating func addParallel(_ group: [[ViewStep]], _ names: inout ViewNames) {
        for i in views.indices {
            guard case .places(let known) = views[i].rows, known.contains(where: group.contains) else {
                continue
            }
            views[i].rows = .places(known + group.filter { !known.contains($0) })
            return
        }
        add(.places(group), named: Self.commonName(of: group.map { $0.name }), &names)
    }

    /// `product_name`, `product_price` → `product`; `rows` when they have nothing in common.
    static func commonName(of names: [String]) -> String {
        guard var common = names.first else { return "rows" }
        for name in names.dropFirst() {
            common = String(zip(common, name).prefix { pair in pair.0 == pair.1 }.map(\.0))
        }
        let separators: Set<Character> = ["_", "-", ".", " ", ":"]
        // Only whole words: `sku` and `size` do not make an `s`.
        if !names.allSatisfy({ $0.count > common.count && Self.isBoundary($0, at: common.count) }) {
            while let last = common.last, !separators.contains(last) { common.removeLast() }
        }
        while let last = common.last, separators.contains(last) { common.removeLast() }
        return common.isEmpty ? "rows" : common
    }

    /// Does a word begin there: after a separator, or with a capital letter?
    private static func isBoundary(_ name: String, at offset: Int) -> Bool {
        let next = name[name.index(name.startIndex, offsetBy: offset)]
        return offset > 0 && (next.isUppercase || "_-. :".contains(next))
    }
}

extension TypedView {
    /// The steps that lead to a row's own value; nothing for events.
    private var base: [ViewStep] {
        if case .elements(let steps) = rows { return steps }
        return []
    }

    /// PostgreSQL allows 1,600. What parameters come when so many have come and gone has no columns.
    private static var mostColumns: Int { 1_500 }

    /// Adds the columns that are missing.
    fileprivate mutating func follow(_ parameters: [ViewParameter]) {
        var names = ViewNames(taken: fixed + columns.map(\.name))
        var columnOf: [[ViewStep]: Int] = [:]
        var hasAny: Set<[ViewStep]> = []
        for (i, column) in columns.enumerated() {
            if column.isAny { hasAny.insert(column.steps) } else { columnOf[slot(of: column.steps)] = i }
        }
        for (slot, values) in slots(parameters) {
            guard columns.count < Self.mostColumns else { return }
            if columnOf[slot] == nil, let column = newColumn(slot, values, &names) {
                columnOf[slot] = columns.count
                columns.append(column)
            }
            guard let i = columnOf[slot], columns[i].kind != .jsonb, !hasAny.contains(slot),
                values.contains(where: { $0.parameter.conflicts(with: columns[i].kind, depth: $0.depth) })
            else { continue }
            let name = names.take(columns[i].name + ":any", for: slot.path + ":any")
            columns.append(ViewColumn(name: name, steps: slot, kind: .jsonb, isAny: true))
        }
    }

    /// A parameter with how many arrays lie between the row and its values.
    private typealias Values = (parameter: ViewParameter, depth: Int)

    /// What goes into one column: `a` and `a[]` are the same place, once a scalar and once an array.
    private func slots(_ parameters: [ViewParameter]) -> [(slot: [ViewStep], values: [Values])] {
        var places: [[ViewStep]: Int] = [:]
        var slots: [(slot: [ViewStep], values: [Values])] = []
        for parameter in parameters where isHere(parameter.steps) {
            let slot = slot(of: parameter.steps)
            let place = places[slot] ?? slots.count
            if place == slots.count {
                places[slot] = place
                slots.append((slot, []))
            }
            slots[place].values.append((parameter, depth(of: parameter.steps)))
        }
        return slots
    }

    /// The column that holds a parameter's values; nil: there is none.
    package func column(for steps: [ViewStep]) -> ViewColumn? {
        let wanted = slot(of: steps)
        return columns.first { !$0.isAny && $0.steps == steps }
            ?? columns.first { !$0.isAny && slot(of: $0.steps) == wanted }
    }

    private func isHere(_ steps: [ViewStep]) -> Bool {
        if case .places(let arrays) = rows { return arrays.contains(steps) }
        return steps.count > base.count && steps.starts(with: base)
    }

    private func depth(of steps: [ViewStep]) -> Int {
        let arrays = steps.dropFirst(base.count).count { $0 == .elements }
        if case .places = rows { return arrays - 1 }
        return arrays
    }

    /// The steps without the arrays at their end, and no further than to a map: all of that is one column.
    private func slot(of steps: [ViewStep]) -> [ViewStep] {
        if let map = steps.firstIndex(of: .anyMember) { return Array(steps[...map]) }
        if case .places = rows { return steps }
        var slot = steps
        while slot.count > base.count, slot.last == .elements { slot.removeLast() }
        return slot
    }

    /// Nil as long as nothing is known that a column could hold.
    private func newColumn(
        _ slot: [ViewStep], _ values: [Values], _ names: inout ViewNames
    ) -> ViewColumn? {
        // All elements of a row that are arrays themselves have no name here.
        guard slot.count > base.count else { return nil }
        var (steps, kind) = (slot, ViewColumn.Kind.jsonb)
        if !slot.contains(.anyMember) {
            let firsts = values.compactMap { value in value.parameter.firstScalar.map { (value, $0) } }
            guard let (value, scalar) = firsts.min(by: { $0.1.first < $1.1.first }) else { return nil }
            steps = value.parameter.steps
            kind = ViewColumn.Kind(scalar.family, depth: value.depth)
        }
        let name = names.take(Array(slot.dropFirst(base.count)).name, for: steps.path)
        return ViewColumn(name: name, steps: steps, kind: kind)
    }
}

extension ViewParameter {
    /// Are there values, with so many arrays around them, that a column of this type cannot hold?
    fileprivate func conflicts(with kind: ViewColumn.Kind, depth: Int) -> Bool {
        guard let (family, isList) = kind.holds else { return false }
        // An array around the values of a list is as it should be.
        let fitting = isList && depth == 0 ? .array : family
        switch depth {
        case 0: return families.contains { $0.family != fitting }
        case 1: return isList && families.contains { $0.family != fitting }
        default: return false
        }
    }
}

extension ViewColumn.Kind {
    /// For values of a family with so many arrays around them.
    fileprivate init(_ family: ValueFamily, depth: Int) {
        switch (family, depth) {
        case (.number, 0): self = .numeric
        case (.text, 0): self = .text
        case (.boolean, 0): self = .boolean
        case (.number, 1): self = .numerics
        case (.text, 1): self = .texts
        case (.boolean, 1): self = .booleans
        default: self = .jsonb
        }
    }

    /// Of what it holds one value or a list; nil: anything.
    fileprivate var holds: (family: ValueFamily, isList: Bool)? {
        switch self {
        case .numeric: (.number, false)
        case .text: (.text, false)
        case .boolean: (.boolean, false)
        case .numerics: (.number, true)
        case .texts: (.text, true)
        case .booleans: (.boolean, true)
        case .jsonb: nil
        }
    }
}
