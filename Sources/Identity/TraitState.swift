import Foundations

/// One trait of a person: its value, what decided it, and the values before it.
///
/// Pure. Events come late and in any order, and profiles are merged at any moment; so a state keeps the *time* of
/// what decided it, and operations of one kind end at the same value in every order:
///
///     set        the latest by event time; of the same instant, what came last; also against unset
///     set once   the earliest; any set goes before it
///     append     the union, no element twice (elements stand in the order in which they came)
///     increment  the exact sum
///
/// What came last is what is applied last; where two profiles are merged nobody knows, and the event's id decides.
/// Where kinds are mixed, an append or increment that is older than the last set or unset is dropped.
package struct TraitState: Sendable, Equatable {
    /// Bounds: bytes of one value, elements of a list, entries of the history, traits of a person.
    package static let longestValue = 4096
    package static let mostElements = 100
    package static let mostHistory = 10
    package static let mostTraits = 200

    /// A moment with the event that it is of: what orders the changes of two profiles.
    package struct Stamp: Sendable, Equatable, Comparable {
        package let at: Timestamp
        package let event: UUID
        package init(_ at: Timestamp, _ event: UUID) { (self.at, self.event) = (at, event) }
        package static func < (a: Self, b: Self) -> Bool { (a.at, a.event) < (b.at, b.event) }
    }

    /// One change that was made.
    package struct Entry: Sendable, Equatable {
        package let operation: TraitMapping.Operation
        package let value: [UInt8]
        package let stamp: Stamp
        package let source: String
    }

    /// JSON text; nil: it was unset.
    package private(set) var value: [UInt8]?
    /// What made the value what it is.
    package private(set) var operation: TraitMapping.Operation
    /// Of the last set, unset or first set once; nil: there was none.
    package private(set) var base: Stamp?
    /// Of the latest change of any kind.
    package private(set) var latest: Stamp
    /// The newest first.
    package private(set) var history: [Entry]

    /// By the trait's first change; nil: it changes nothing (unset, or a value that does not fit).
    package init?(_ change: TraitChange, _ stamp: Stamp, source: String) {
        self.init(value: nil, operation: change.operation, base: nil, latest: stamp, history: [])
        guard apply(change, stamp, source: source) else { return nil }
    }

    init(
        value: [UInt8]?, operation: TraitMapping.Operation, base: Stamp?, latest: Stamp, history: [Entry]
    ) {
        (self.value, self.operation, self.base) = (value, operation, base)
        (self.latest, self.history) = (latest, history)
    }

    /// A value of which nothing more is known than when its profile was made.
    package init(imported value: [UInt8], at: Timestamp) {
        let stamp = Stamp(at, UUID(high: 0, low: 0))
        self.init(value: value, operation: .set, base: stamp, latest: stamp, history: [])
    }

    // MARK: Changes

    /// False: the change does not fit, and nothing is changed. One that is only too late to matter is kept in the
    /// history.
    @discardableResult
    package mutating func apply(_ change: TraitChange, _ stamp: Stamp, source: String) -> Bool {
        if change.value.count > Self.longestValue { return false }
        switch change.operation {
        case .set, .unset: set(change, stamp)
        case .setOnce: setOnce(change, stamp)
        case .append: if !isOutdated(stamp), !extend(by: change.value) { return false }
        case .increment: if !isOutdated(stamp), !add(change.value) { return false }
        }
        if latest.at <= stamp.at { latest = stamp }
        let entry = Entry(operation: change.operation, value: change.value, stamp: stamp, source: source)
        history = Self.bounded([entry] + history)
        return true
    }

    private mutating func set(_ change: TraitChange, _ stamp: Stamp) {
        if operation != .setOnce, isOutdated(stamp) { return }
        value = change.operation == .set ? change.value : nil
        operation = change.operation
        base = stamp
    }

    private mutating func setOnce(_ change: TraitChange, _ stamp: Stamp) {
        let isFree = value == nil && !isOutdated(stamp)
        let isEarlier = operation == .setOnce && (base == nil || isOutdated(stamp))
        guard isFree || isEarlier else { return }
        value = change.value
        operation = .setOnce
        base = stamp
    }

    private func isOutdated(_ stamp: Stamp) -> Bool { base.map { stamp.at < $0.at } ?? false }

    private mutating func extend(by new: [UInt8]) -> Bool {
        guard let list = TraitValue.union(value, new), list.count <= Self.mostElements * Self.longestValue
        else {
            return false
        }
        value = list
        operation = .append
        return true
    }

    private mutating func add(_ number: [UInt8]) -> Bool {
        guard let sum = TraitValue.sum(value, number), sum.count <= Self.longestValue else { return false }
        value = sum
        operation = .increment
        return true
    }

    /// The newest first; of the same instant they stay as they are.
    private static func bounded(_ history: [Entry]) -> [Entry] {
        Array(history.sorted { $1.stamp.at < $0.stamp.at }.prefix(mostHistory))
    }

    // MARK: Merging

    /// The same trait of two profiles that turned out to be one person's. For every rule the order of the two, and
    /// of several, does not matter (but for the order of a list's elements).
    package static func merged(_ a: TraitState, _ b: TraitState, _ rule: TraitRule.Merge?) -> TraitState {
        var result = decided(a, b, rule ?? natural(a, b))
        result.latest = max(a.latest, b.latest)
        result.history = bounded((a.history + b.history).sorted { $1.stamp < $0.stamp })
        return result
    }

    /// By what was done to it.
    private static func natural(_ a: TraitState, _ b: TraitState) -> TraitRule.Merge {
        switch (a.operation, b.operation) {
        case (.increment, .increment): .sum
        case (.append, .append): .union
        case (.setOnce, .setOnce): .first
        default: .latest
        }
    }

    private static func decided(_ a: TraitState, _ b: TraitState, _ rule: TraitRule.Merge) -> TraitState {
        // What was removed after the other one's last change stays removed.
        guard let x = a.value, let y = b.value else {
            let (gone, other) = a.value == nil ? (a, b) : (b, a)
            return other.value == nil ? later(a, b) : gone.decidedAt < other.decidedAt ? other : gone
        }
        switch rule {
        case .latest:
            if a.operation == .setOnce, b.operation != .setOnce { return b }
            if b.operation == .setOnce, a.operation != .setOnce { return a }
            return later(a, b)
        case .first: return a.first < b.first ? a : b
        case .longest:
            let (m, n) = (TraitValue.length(x), TraitValue.length(y))
            return m == n ? later(a, b) : m > n ? a : b
        case .union: return combined(a, b, .append) { TraitValue.union($0, $1) }
        case .sum: return combined(a, b, .increment) { TraitValue.sum($0, $1) }
        }
    }

    private var first: Stamp { base ?? history.last?.stamp ?? latest }

    /// When the value became what it is: a change that came too late to matter does not count.
    private var decidedAt: Stamp {
        switch operation {
        case .set, .setOnce, .unset: base ?? latest
        case .append, .increment: latest
        }
    }

    private static func later(_ a: TraitState, _ b: TraitState) -> TraitState {
        if a.decidedAt == b.decidedAt {
            return (a.value ?? []).lexicographicallyPrecedes(b.value ?? []) ? b : a
        }
        return a.decidedAt < b.decidedAt ? b : a
    }

    /// Where the two cannot be combined, the later one is kept.
    private static func combined(
        _ a: TraitState, _ b: TraitState, _ operation: TraitMapping.Operation,
        _ combine: ([UInt8]?, [UInt8]) -> [UInt8]?
    ) -> TraitState {
        let (first, second) = a.first < b.first ? (a, b) : (b, a)
        guard let value = second.value.flatMap({ combine(first.value, $0) }) else { return later(a, b) }
        let base = [a.base, b.base].compactMap { $0 }.max()
        return TraitState(value: value, operation: operation, base: base, latest: a.latest, history: [])
    }
}
