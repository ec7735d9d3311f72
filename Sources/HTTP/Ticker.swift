private import CLinux
internal import Foundations
import Glibc

/// A descriptor that becomes readable ten times a second while it runs: the pulse of a lane's deadlines.
struct Ticker: ~Copyable {
    private let descriptor: FileDescriptor
    private var isRunning = false

    init() throws(SystemError) {
        descriptor = FileDescriptor(try retrying("timerfd_create") { clinux_ticker_create() })
    }

    var raw: Int32 { descriptor.raw }

    mutating func run(_ wanted: Bool) {
        guard wanted != isRunning else { return }
        isRunning = wanted
        _ = clinux_ticker_set(descriptor.raw, wanted ? Int(TimerWheel.tick) : 0)
    }

    func acknowledge() {
        var count: UInt64 = 0
        _ = read(descriptor.raw, &count, 8)
    }
}
