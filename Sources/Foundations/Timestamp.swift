import Glibc

/// A moment, in microseconds since 1970-01-01T00:00:00Z; what PostgreSQL's `timestamptz` can hold exactly.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var microseconds: Int64

    @inlinable package init(microseconds: Int64) { self.microseconds = microseconds }
    @inlinable package init(milliseconds: Int64) { self.microseconds = milliseconds * 1000 }
    @inlinable package init(seconds: Int64) { self.microseconds = seconds * 1_000_000 }

    @inlinable package static func < (a: Self, b: Self) -> Bool { a.microseconds < b.microseconds }

    /// Whole milliseconds since 1970, rounded down.
    @inlinable package var milliseconds: Int64 { Timestamp.floor(microseconds, 1000) }
    /// Whole seconds since 1970, rounded down.
    @inlinable package var seconds: Int64 { Timestamp.floor(microseconds, 1_000_000) }
    /// The beginning of the minute that this moment lies in.
    @inlinable package var minute: Timestamp {
        Timestamp(microseconds: Timestamp.floor(microseconds, 60_000_000) * 60_000_000)
    }
    /// Whole days since 1970-01-01 (UTC), rounded down.
    @inlinable package var day: Int64 { Timestamp.floor(microseconds, 86_400_000_000) }

    /// Microseconds since 2000-01-01, as PostgreSQL's binary format has them.
    @inlinable package var postgres: Int64 { microseconds - 946_684_800_000_000 }
    @inlinable package init(postgres: Int64) { microseconds = postgres + 946_684_800_000_000 }

    @inlinable package func adding(microseconds more: Int64) -> Timestamp {
        Timestamp(microseconds: microseconds &+ more)
    }
    @inlinable package func adding(seconds more: Int64) -> Timestamp {
        adding(microseconds: more * 1_000_000)
    }

    @inlinable static func floor(_ value: Int64, _ unit: Int64) -> Int64 {
        let quotient = value / unit
        return value % unit < 0 ? quotient - 1 : quotient
    }
}

/// Where the time comes from: the system's clocks, or a test's.
package struct Clock: Sendable {
    /// The wall clock. It may be stepped: whoever needs order keeps the latest of it.
    package let now: @Sendable () -> Timestamp
    /// Nanoseconds since some fixed moment; never goes back.
    package let monotonic: @Sendable () -> UInt64

    package init(
        now: @escaping @Sendable () -> Timestamp, monotonic: @escaping @Sendable () -> UInt64
    ) {
        self.now = now
        self.monotonic = monotonic
    }

    package static let system = Clock(
        now: {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
        },
        monotonic: {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        })
}
