import Dispatch
import Foundations
import Glibc

/// The signals that the server understands, as calls on a queue.
final class Signals {
    private var sources: [any DispatchSourceSignal] = []

    init() {
        // A peer that hangs up, and a limit on file sizes, are errors of a call, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Calls `body` on `queue` each time one of the signals arrives.
    func on(_ signals: [Int32], _ queue: DispatchQueue, _ body: @escaping @Sendable () -> Void) {
        for number in signals {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler(handler: body)
            source.resume()
            sources.append(source)
        }
    }
}
