import Foundations

/// What became of a request, told after the commit to those who waited for it.
package struct Receipt: Sendable {
    package enum Outcome: Sendable { case stored, duplicate, denied, quarantined, unsaved }

    /// The profile under which the events stand.
    package var profile: UUID?
    /// The profile's traits as JSON text, without the private ones; nil unless they were asked for.
    package var traits: [UInt8]?
    package var sessionSaved: Bool
    /// In the order of the request.
    package var events: [(id: UUID, outcome: Outcome)]
    /// Places in `events` of those that were quarantined since their ids had come before with another content.
    package var conflicts: Set<Int>
    package var warnings: [String]

    package init(
        profile: UUID?, traits: [UInt8]?, sessionSaved: Bool, events: [(id: UUID, outcome: Outcome)],
        conflicts: Set<Int> = [], warnings: [String]
    ) {
        self.profile = profile
        self.traits = traits
        self.sessionSaved = sessionSaved
        self.events = events
        self.conflicts = conflicts
        self.warnings = warnings
    }
}

/// Where requests that must see the result (`debugger`, `profile`) wait for the loader.
package final class Receipts: Sendable {
    private let waiting = Locked<[UUID: @Sendable (Receipt) -> Void]>([:])

    package init() {}

    /// Calls `deliver` once, on the loader's queue, when the task's events are committed.
    package func expect(task: UUID, _ deliver: @escaping @Sendable (Receipt) -> Void) {
        waiting.withLock { $0[task] = deliver }
    }

    /// Does anybody wait?
    package var isAwaited: Bool { waiting.withLock { !$0.isEmpty } }

    /// Gives up waiting.
    package func forget(task: UUID) {
        _ = waiting.withLock { $0.removeValue(forKey: task) }
    }

    /// Tells whoever waits for this task; nothing happens if nobody does any more.
    package func deliver(task: UUID, _ receipt: Receipt) {
        let waiter = waiting.withLock { $0.removeValue(forKey: task) }
        waiter?(receipt)
    }
}
