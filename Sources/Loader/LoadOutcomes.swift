import Foundations
import Identity

/// What the loader tells the catalogue after each commit: up to where the spool is in the database, and which events
/// of it are not stored as they stand in the spool.
///
/// It is kept in memory and bounded; whoever asks for a range that is gone, or was loaded by an earlier process, looks
/// into the table `event` instead.
package final class LoadOutcomes: Sendable {
    enum Exception: Equatable {
        /// It was to be stored and is not: a duplicate, a conflict, poison, a misfit of a frozen activity.
        case absent
        /// It is stored with these properties.
        case changed([UInt8])
    }

    /// Whole records that were committed, and their exceptions.
    struct Range {
        var end: LoadPosition
        var exceptions: [UUID: Exception] = [:]
    }

    enum Known {
        /// Everything that is committed was asked for already.
        case nothingNew
        case range(Range)
        /// Not in memory, up to here.
        case unknown(until: LoadPosition)
    }

    fileprivate struct State {
        /// Has the loader been in the database?
        var isBegun = false
        /// Where the ranges begin.
        var begin = LoadPosition.start
        var ranges: [Range] = []
        /// Ranges that are through already, at the front of the array.
        var gone = 0
        /// What is committed of a record that is being loaded in parts.
        var open: [UUID: Exception] = [:]
        var isOpenKnown = true
        /// What the exceptions take in memory, about.
        var weight = 0
        var wake: (@Sendable () -> Void)?
        var isListening = false
    }

    /// An absent event weighs one, a changed one a bit more for its text.
    fileprivate static let mostWeight = 200_000
    private let state = Locked(State())

    package init() {}

    /// `call` is called after each commit, on the loader's queue; it should only poke.
    func onCommit(_ call: @escaping @Sendable () -> Void) {
        state.withLock {
            $0.wake = call
            $0.isListening = true
        }
    }

    // MARK: The loader's side

    /// The loader goes on at a position that it read from the database.
    func restart(at position: LoadPosition) {
        state.withLock { state in
            defer { state.isBegun = true }
            // Connected again, and nothing has moved: what is known stays known.
            if position == state.end, state.open.isEmpty { return }
            state.begin = position
            state.ranges = []
            state.gone = 0
            state.open = [:]
            state.isOpenKnown = position.part == 0
            state.weight = 0
        }
        state.withLock { $0.wake }?()
    }

    func committed(_ batch: Batch) {
        let wake = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.isListening else {
                state.pass(batch.end)
                return nil
            }
            for event in batch.events where event.view.verdict == .store {
                guard let exception = event.exception else { continue }
                state.open[event.view.id] = exception
                state.weight += exception.weight
            }
            if batch.end.part == 0 { state.close(at: batch.end) }
            return state.wake
        }
        wake?()
    }

    // MARK: The catalogue's side

    /// Up to where whole records are committed.
    var position: LoadPosition { state.withLock { $0.end } }

    var isBegun: Bool { state.withLock { $0.isBegun } }

    /// The range that begins here, or holds this position.
    func known(at position: LoadPosition) -> Known {
        state.withLock { state in
            if position.record >= state.end.record { return .nothingNew }
            if position.record < state.begin.record { return .unknown(until: state.begin) }
            while state.gone < state.ranges.count, state.ranges[state.gone].end.record <= position.record {
                state.drop()
            }
            return state.gone < state.ranges.count ? .range(state.ranges[state.gone]) : .nothingNew
        }
    }
}

extension LoadOutcomes.State {
    fileprivate var end: LoadPosition { ranges.last?.end ?? begin }

    /// Nobody asks: everything up to here is unknown.
    fileprivate mutating func pass(_ end: LoadPosition) {
        (begin, ranges, gone, open, weight) = (end, [], 0, [:], 0)
        isOpenKnown = end.part == 0
    }

    /// Ends a range; one without exceptions is joined with the one before.
    fileprivate mutating func close(at end: LoadPosition) {
        defer {
            open = [:]
            isOpenKnown = true
        }
        guard isOpenKnown else {
            begin = end
            return
        }
        if open.isEmpty, gone < ranges.count, ranges[ranges.count - 1].exceptions.isEmpty {
            ranges[ranges.count - 1].end = end
        } else {
            ranges.append(LoadOutcomes.Range(end: end, exceptions: open))
        }
        while weight > LoadOutcomes.mostWeight, gone < ranges.count - 1 { drop() }
    }

    /// Forgets the oldest range.
    fileprivate mutating func drop() {
        begin = ranges[gone].end
        for exception in ranges[gone].exceptions.values { weight -= exception.weight }
        ranges[gone].exceptions = [:]
        gone += 1
        if gone > 64, gone * 2 > ranges.count {
            ranges.removeFirst(gone)
            gone = 0
        }
    }
}

extension LoadOutcomes.Exception {
    fileprivate var weight: Int {
        switch self {
        case .absent: 1
        case .changed(let properties): 2 + properties.count / 64
        }
    }
}
