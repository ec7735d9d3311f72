import Foundations
import Synchronization

/// A rate as a cell rate: how far apart requests are to be, and how far ahead of that a burst may run.
///
/// The only state of a bucket is one moment: when the request after the last one would be due if all came evenly
/// (GCRA). A full bucket is a moment in the past, so a forgotten bucket is a full one.
struct CellRate: Sendable, Equatable {
    /// Nanoseconds from one request to the next.
    let interval: UInt64
    /// Nanoseconds that a burst may run ahead.
    let tolerance: UInt64

    init(_ rate: Rate) {
        let period = UInt64(clamping: rate.microseconds) * 1000
        interval = max(period / UInt64(max(rate.count, 1)), 1)
        tolerance = period - min(interval, period)
    }

    enum Verdict: Equatable {
        case passes(next: UInt64)
        case refused(retryAfter: UInt64)
    }

    /// `due`: the bucket's state; all times in nanoseconds of a monotonic clock.
    func judge(due: UInt64, at now: UInt64) -> Verdict {
        let from = max(due, now)
        if from - now > tolerance { return .refused(retryAfter: from - now - tolerance) }
        return .passes(next: from &+ interval)
    }
}

/// The rate of one source, shared by all lanes.
final class TokenBucket: Sendable {
    let rate: CellRate
    private let due: Atomic<UInt64>

    init(_ rate: CellRate) {
        self.rate = rate
        due = Atomic(0)
    }

    /// Takes a token; otherwise says after how many nanoseconds there will be one.
    func take(at now: UInt64) -> UInt64? {
        var seen = due.load(ordering: .relaxed)
        while true {
            switch rate.judge(due: seen, at: now) {
            case .refused(let wait): return wait
            case .passes(let next):
                let (exchanged, original) = due.weakCompareExchange(
                    expected: seen, desired: next, ordering: .relaxed)
                if exchanged { return nil }
                seen = original
            }
        }
    }
}

/// The rate of every address, in a table of fixed size: bounded memory whoever calls.
///
/// Buckets lie in sets of four, found by a keyed hash. A new address takes the place of the bucket that is due
/// first, which is a full one (and so loses nothing) unless four busy addresses share the set.
/// IPv6 addresses count by their /64, since one client has all of it.
final class AddressBuckets: Sendable {
    private struct Slot {
        var address = IPAddress(high: 0, low: 0)
        var due: UInt64 = 0
    }

    private static let shards = 16
    private let rate: CellRate
    private let hash = SipHash()
    private let sets: Int
    private let slots: [Locked<[Slot]>]

    init(_ rate: CellRate, capacity: Int = 65_536) {
        self.rate = rate
        sets = max(capacity / (4 * Self.shards), 1)
        let each = sets * 4
        slots = (0..<Self.shards).map { _ in Locked([Slot](repeating: Slot(), count: each)) }
    }

    func take(_ address: IPAddress, at now: UInt64) -> UInt64? {
        var words = (address.high, address.isV4 ? address.low : 0)
        let key = IPAddress(high: words.0, low: words.1)
        let hashed = withUnsafeBytes(of: &words) { hash.hash($0) }
        let first = Int(hashed >> 8) % sets * 4
        return slots[Int(hashed & 15)].withLock { slots in
            var chosen = first
            for i in first..<first + 4 {
                if slots[i].address == key {
                    chosen = i
                    break
                }
                if slots[i].due < slots[chosen].due { chosen = i }
            }
            let due = slots[chosen].address == key ? slots[chosen].due : 0
            switch rate.judge(due: due, at: now) {
            case .refused(let wait): return wait
            case .passes(let next):
                slots[chosen] = Slot(address: key, due: next)
                return nil
            }
        }
    }
}
