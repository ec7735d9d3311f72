import Dispatch

/// Calls something once a second on a queue, until it is stopped.
final class Timer: @unchecked Sendable {  // `source` is constant, and Dispatch guards what is inside
    private let source: any DispatchSourceTimer

    init(queue: DispatchQueue) {
        source = DispatchSource.makeTimerSource(queue: queue)
        source.schedule(deadline: .now() + 1, repeating: 1, leeway: .milliseconds(100))
    }

    func start(_ call: @escaping @Sendable () -> Void) {
        source.setEventHandler(handler: call)
        source.activate()
    }

    /// Dispatch wants a source to be active before it goes away.
    func stop() {
        source.activate()
        source.cancel()
    }
}
