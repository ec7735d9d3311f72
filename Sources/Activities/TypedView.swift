/// A typed view of an activity: its own, or that of an array, a row an element.
package struct TypedView: Equatable, Sendable {
    /// What its rows are.
    package enum Rows: Equatable, Sendable {
        /// The events.
        case events
        /// The elements of the array at these steps, which end in `.elements`.
        case elements([ViewStep])
        /// The places of arrays of equal length, which are read side by side.
        case places([[ViewStep]])
    }

    package var name: String
    package var rows: Rows
    package var columns: [ViewColumn] = []

    /// The columns that every view of its kind begins with.
    var fixed: [String] {
        let own = ["event_id", "time", "profile_id", "session_id", "source"]
        switch rows {
        case .events: return own
        case .places: return own + ["index"]
        case .elements(let steps):
            // Arrays in arrays have one name, and any name may be long.
            var names = ViewNames(taken: own + ["index"])
            let arrays = steps.indices.filter { steps[$0] == .elements }.map { Array(steps[...$0]) }
            return own + arrays.dropLast().map { names.take($0.name + ".index", for: $0.path) } + ["index"]
        }
    }
}

/// A column of a typed view; once made it stays as it is.
package struct ViewColumn: Equatable, Sendable {
    package enum Kind: String, Sendable {
        case numeric, text, boolean, jsonb
        case numerics = "numeric[]"
        case texts = "text[]"
        case booleans = "boolean[]"
    }

    package var name: String
    /// Of the parameter, from the event's properties on.
    package var steps: [ViewStep]
    package var kind: Kind
    /// Holds whatever is there, after a conflict.
    package var isAny = false
}

/// A parameter, as far as views are concerned: where it is, and of what its values were, in the order in which each
/// family of types was first seen. Nulls do not count.
package struct ViewParameter: Equatable, Sendable {
    package struct Family: Equatable, Sendable {
        package var family: ValueFamily
        package var first: EventKey
    }

    package var steps: [ViewStep]
    package var families: [Family]

    package init(steps: [ViewStep], families: [Family]) {
        self.steps = steps
        self.families = families
    }

    package init(_ parameter: ParameterSummary) {
        steps = [ViewStep](parameter.path)
        var first: [ValueFamily: EventKey] = [:]
        for kind in parameter.kinds where kind.kind.family != .null {
            let family = kind.kind.family
            first[family] = min(first[family] ?? kind.first.key, kind.first.key)
        }
        families = first.map { Family(family: $0.key, first: $0.value) }.sorted { $0.first < $1.first }
    }

    func has(_ family: ValueFamily) -> Bool { families.contains { $0.family == family } }

    /// The first family for which there is a type of SQL's.
    var firstScalar: Family? {
        families.first { [.number, .text, .boolean].contains($0.family) }
    }
}
