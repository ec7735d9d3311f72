private import CLinux
internal import Foundations
import Glibc

/// An epoll descriptor: which sockets have something to say.
struct Poller: ~Copyable {
    /// What is watched for, and what happened.
    struct Interest: OptionSet {
        let rawValue: UInt32
        static let read = Interest(rawValue: UInt32(CLINUX_IN))
        static let write = Interest(rawValue: UInt32(CLINUX_OUT))
        static let broken = Interest(rawValue: UInt32(CLINUX_ERROR | CLINUX_HANG_UP))
    }

    private static let batch = 256
    private let descriptor: FileDescriptor
    private let events: UnsafeMutablePointer<clinux_event>

    init() throws(SystemError) {
        descriptor = FileDescriptor(try retrying("epoll_create1") { clinux_epoll_create() })
        events = .allocate(capacity: Self.batch)
        events.initialize(repeating: clinux_event(), count: Self.batch)
    }

    deinit { events.deallocate() }

    /// For the one dispatch source that watches this poller.
    var raw: Int32 { descriptor.raw }

    func add(_ socket: Int32, _ interest: Interest, token: UInt64) -> Bool {
        clinux_epoll_add(descriptor.raw, socket, interest.rawValue, token) == 0
    }

    func modify(_ socket: Int32, _ interest: Interest, token: UInt64) {
        // It can only fail for want of memory or a wrong descriptor; the deadline then ends the connection.
        _ = clinux_epoll_modify(descriptor.raw, socket, interest.rawValue, token)
    }

    /// How many events are ready now; `event(_:)` has them.
    func poll() -> Int { max(0, Int(clinux_epoll_poll(descriptor.raw, events, Int32(Self.batch)))) }

    func event(_ index: Int) -> (token: UInt64, interest: Interest) {
        (events[index].data, Interest(rawValue: events[index].events))
    }
}
