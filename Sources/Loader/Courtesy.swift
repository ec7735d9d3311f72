/// When the loader leaves the machine to Intake: for ten seconds of a burst that takes all of its processors, unless what
/// waits is a quarter of the spool; then the two share, until it was calm for a while. A load that is held back by its
/// own backlog is no new burst each time that the loader has caught up.
///
/// Pure: it is told what arrived, what was loaded and how busy the processors were, and says whether to pause.
/// Somebody who waits for a commit is never put off, nor is a trickle that costs next to nothing to load.
struct Courtesy {
    /// How many pauses a burst is given.
    static let patience = 100
    /// How long a pause is, before it is decided anew, in milliseconds.
    static let pause = 100
    /// Nanoseconds of calm after which the next burst is one of its own.
    static let calm: UInt64 = 5_000_000_000
    /// The processors count as taken when they were idle for less than this share of the time: waiting for the disk and
    /// for each other, they are never busy throughout.
    private static let idle = 0.4
    /// What arrives is a burst when loading it would take more than this share of the loader's time.
    private static let burst = 0.2
    /// The loader has caught up when what waits would take it so many seconds.
    private static let trifle = 0.05

    /// Bytes a second, of the last batch that was worth measuring.
    private var loading = 0.0
    private var arriving = 0.0
    private var idle = 1.0
    /// Pauses that the present burst, or the next one, has left.
    private var left = Self.patience
    /// Since when next to nothing waits or arrives.
    private var calmSince: UInt64?
    private var before: (arrived: Int, processors: ProcessorTimes, at: UInt64)?

    /// Notes how much has arrived since some beginning, in bytes, and what the processors have done since theirs, at
    /// a monotonic time in nanoseconds.
    mutating func look(arrived: Int, processors: ProcessorTimes, at now: UInt64) {
        if let before {
            // Too short a look says nothing; the processors' clock ticks a hundred times a second.
            guard now > before.at + 90_000_000 else { return }
            arriving = Double(arrived - before.arrived) / Double(now - before.at) * 1e9
            idle = processors.idleShare(since: before.processors)
        }
        before = (arrived, processors, now)
    }

    /// Notes what a batch brought, in the time that it took.
    mutating func loaded(bytes: Int, nanoseconds: UInt64) {
        guard bytes >= 256 << 10, nanoseconds > 0 else { return }
        loading = Double(bytes) / Double(nanoseconds) * 1e9
    }

    /// Is it better to wait? `backlog`: the bytes that are not loaded; `now`: monotonic nanoseconds.
    mutating func yields(backlog: Int, capacity: Int, someoneWaits: Bool, at now: UInt64) -> Bool {
        let isBurst = arriving > loading * Self.burst
        if isBurst || Double(backlog) > loading * Self.trifle { calmSince = nil } else { rest(at: now) }
        guard loading > 0, isBurst, idle < Self.idle, !someoneWaits, left > 0, backlog < capacity / 4 else {
            return false
        }
        left -= 1
        return true
    }

    private mutating func rest(at now: UInt64) {
        let since = calmSince ?? now
        if now - since >= Self.calm { left = Self.patience }
        calmSince = since
    }
}
