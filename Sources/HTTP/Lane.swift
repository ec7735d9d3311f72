package import Dispatch
package import Foundations

/// A serial queue with connections of its own.
package final class Lane: @unchecked Sendable {  // owner of all state: `queue`
    package let index: Int
    package let queue: DispatchQueue
    package internal(set) var now: Timestamp

    init(index: Int, clock: Clock) {
        self.index = index
        queue = DispatchQueue(label: "waymark.lane.\(index)")
        now = clock.now()
    }

    /// No new work is wanted: the server is about to stop.
    package internal(set) var isDraining = false

    package func respond(
        _ exchange: Exchange, status: Int, contentType: StaticString = "application/json",
        headers: Bytes = .empty, body: Bytes = .empty
    ) {}

    /// Runs `body`, which answers several exchanges outside of `handle`, and sends them together.
    package func answering(_ body: () -> Void) { body() }

    /// Runs `body` on the lane's queue in a while.
    package func after(milliseconds: Int, _ body: @escaping @Sendable () -> Void) {
        queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds), execute: body)
    }
}
