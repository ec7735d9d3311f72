import Foundations

/// What is known of one parameter of an activity: a copy, made to be read.
package struct ParameterSummary: Sendable {
    package let path: ParameterPath
    /// In the order of `ValueKind`; never empty.
    package let kinds: [KindCount]
    /// How many values were seen; an event may have several, one an element.
    package let values: Int
    /// In how many events it was.
    package let events: Int
    /// How many events there were.
    package let allEvents: Int
    /// How many objects (for elements: arrays) it could have been in: those that its parent path names.
    package let parents: Int
    package let first: EventMark
    package let last: EventKey
    /// When not empty, no value is kept: no range of numbers, no frequent values, no samples.
    package let personal: PersonalKinds
    package let numbers: NumberRange?
    /// In characters.
    package let textLength: ClosedRange<Int>?
    package let arrayLength: ClosedRange<Int>?
    package var distinct: DistinctCount { node.table.distinct }
    /// The most frequent first. Exact, if no more distinct values were seen than are kept; otherwise some are
    /// estimates from a random sample. Sorted anew each time.
    package var frequent: [FrequentValue] { Frequency.values(of: node) }
    /// Values of random events, in no order.
    package var samples: [String] { node.samples.samples.map(\.text) }
    let node: PathNode
    /// Parallel arrays with the same number are the columns of one table.
    package let table: Int?
    /// The event that made it vanish: the first one without it; nil if it is there, or always came and went.
    package let vanished: EventMark?

    /// Always there, in every event.
    package var isRequired: Bool { events == allEvents }
    /// Always there where its parent is: in each element of an array of objects, for example.
    package var isRequiredInParent: Bool { values == parents }
    package var presence: Presence {
        if isRequired { return .required }
        return events * 100 < allEvents * 5 ? .rare : .sometimes
    }
    /// In which share of the events it was missing, 0 to 1.
    package var missing: Double {
        allEvents > 0 ? Double(allEvents - events) / Double(allEvents) : 0
    }
    package func count(of kind: ValueKind) -> Int { kinds.first { $0.kind == kind }?.count ?? 0 }
    /// The families of its values, null included, in their order.
    package var families: [ValueFamily] {
        ValueFamily.allCases.filter { family in kinds.contains { $0.kind.family == family } }
    }

    package enum Presence: String, Sendable {
        case required, sometimes
        /// In fewer than 5 % of the events.
        case rare
    }
}

/// A parameter's numbers: exact, as decimal text.
package struct NumberRange: Hashable, Sendable {
    package let min: String
    package let max: String
    /// Up to 12 digits behind the point, rounded half to even; nil if a number was too large to be summed.
    package let mean: String?
}

package struct DistinctCount: Hashable, Sendable {
    package let count: Int
    package let isExact: Bool
}

package struct FrequentValue: Hashable, Sendable {
    /// A text's beginning; a number in its shortest form; `true` or `false`.
    package let text: String
    package let kind: ValueKind
    package let count: Int
    package let isExact: Bool
}
