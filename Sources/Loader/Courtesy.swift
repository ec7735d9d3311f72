/// When the loader leaves the machine to Intake: in a burst that it cannot keep up with, until what waits is ten
/// seconds old or a quarter of the spool; then the two share.
///
/// Pure: it is told what arrived and what was loaded, and says whether to pause. Somebody who waits for a commit, or
/// a backlog that shrinks, is never made to wait longer.
struct Courtesy {
    /// Microseconds for which what waits may be put off.
    static let patience: Int64 = 10_000_000
    /// How long a pause is, before it is decided anew, in milliseconds.
    static let pause = 100

    /// Bytes a second, of the last batch that was worth measuring.
    private var loading = 0.0
    private var before: (arrived: Int, at: UInt64)?
    private var arriving = 0.0

    /// Notes how far the spool is durable (in bytes since some beginning), at a monotonic time in nanoseconds.
    mutating func look(arrived: Int, at now: UInt64) {
        if let before, now > before.at {
            let seconds = Double(now - before.at) / 1e9
            // Too short a look says nothing.
            guard seconds >= 0.02 else { return }
            arriving = Double(arrived - before.arrived) / seconds
        }
        before = (arrived, now)
    }

    /// Notes what a batch brought, in the time that it took.
    mutating func loaded(bytes: Int, nanoseconds: UInt64) {
        guard bytes >= 256 << 10, nanoseconds > 0 else { return }
        loading = Double(bytes) / Double(nanoseconds) * 1e9
    }

    /// Is it better to wait? `age`: microseconds since the arrival of the oldest that is not loaded.
    func yields(backlog: Int, capacity: Int, age: Int64, someoneWaits: Bool) -> Bool {
        guard loading > 0, arriving > loading, !someoneWaits else { return false }
        return age < Self.patience && backlog < capacity / 4
    }
}
