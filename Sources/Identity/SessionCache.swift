import Foundations
import Glibc

/// What this server remembers of recent sessions: their profile, and what their row in PostgreSQL holds.
///
/// A fixed table, four slots a set, the least recently used of a set gives way; never a dictionary of strings.
/// A session is found by two 64-bit hashes under keys of this process, so no client can make two of them meet.
/// Forgetting is always safe: it costs a look-up or an upsert.
package final class SessionCache: Sendable {
    /// What is known of a session.
    package struct Entry: Sendable {
        package var profile: UUID?
        /// The row's `last_seen_at`, in seconds; 0: not known to have a row.
        package var seen: Int64 = 0
        /// A hash of the row's context.
        package var context: UInt64 = 0
        /// The row's `clock_skew`, or, without a row, what was added to its times first; nil: no clock was seen yet.
        package var skew: Int64?
        /// The number of its latest visit; 0: not known.
        fileprivate(set) var visit: Int32 = 0

        package init(profile: UUID?) { self.profile = profile }
    }

    private struct Slot {
        var key: (UInt64, UInt64) = (0, 0)
        var entry = Entry(profile: nil)
        var remembered: Int64 = 0
        var used: UInt32 = 0
    }

    /// The sets of one lock. The cache frees its memory.
    private struct Shard {
        private let slots: UnsafeMutableBufferPointer<Slot>
        private var clock: UInt32 = 0

        init(sets: Int) {
            slots = .allocate(capacity: sets * SessionCache.ways)
            slots.initialize(repeating: Slot())
        }

        func find(_ key: (UInt64, UInt64), in set: Int) -> UnsafeMutablePointer<Slot>? {
            guard let base = slots.baseAddress else { return nil }
            for slot in base + set * SessionCache.ways..<base + (set + 1) * SessionCache.ways
            where slot.pointee.used != 0 && slot.pointee.key == key {
                return slot
            }
            return nil
        }

        func replaceOldest(in set: Int, with key: (UInt64, UInt64)) -> UnsafeMutablePointer<Slot> {
            let begin = set * SessionCache.ways
            var oldest = begin
            for i in begin..<begin + SessionCache.ways where slots[i].used < slots[oldest].used { oldest = i }
            slots[oldest] = Slot(key: key)
            return slots.baseAddress! + oldest  // a cache has at least one set
        }

        mutating func touch(_ slot: UnsafeMutablePointer<Slot>) {
            clock &+= 1
            slot.pointee.used = max(clock, 1)
        }

        func deallocate() { slots.deallocate() }

        func redirect(_ merges: [UUID: UUID]) {
            for i in slots.indices where slots[i].used != 0 {
                if let winner = slots[i].entry.profile.flatMap({ merges[$0] }) {
                    slots[i].entry.profile = winner
                }
            }
        }

        mutating func removeAll() { slots.update(repeating: Slot()) }
    }

    private static let ways = 4
    private static let shards = 64
    private let first = SipHash()
    private let second = SipHash()
    private let table: [Locked<Shard>]
    private let setsPerShard: Int
    /// Seconds after which an entry is asked for anew, since another server may know better.
    private let lifetime: Int64

    /// `capacity` sessions, rounded up; about 100 bytes each.
    package init(capacity: Int = 65_536, lifetime: Int64 = 60) {
        let sets = max(1, (capacity + Self.shards * Self.ways - 1) / (Self.shards * Self.ways))
        setsPerShard = sets
        self.lifetime = lifetime
        table = (0..<Self.shards).map { _ in Locked(Shard(sets: sets)) }
    }

    deinit {
        for shard in table { shard.withLock { $0.deallocate() } }
    }

    /// The profile of a session, if it is known and was confirmed within the lifetime.
    package func profile(ofSession id: Bytes, now: Timestamp) -> UUID? {
        access(id) { entry, remembered in
            guard let profile = entry?.pointee.profile, remembered + lifetime >= now.seconds else {
                return nil
            }
            return profile
        }
    }

    /// What is known of a session, for the loader.
    package func entry(ofSession id: Bytes) -> Entry? {
        access(id) { entry, _ in entry?.pointee }
    }

    /// Notes what a session was answered, unless more is known already.
    package func remember(session id: Bytes, profile: UUID, now: Timestamp) {
        insert(id, now: now) { entry in
            guard entry.seen == 0 || entry.profile == nil else { return }
            // A row without a profile is another one now: the loader has to bind it.
            if entry.profile != profile { entry.seen = 0 }
            entry.profile = profile
        }
    }

    /// Notes what PostgreSQL holds, after the commit.
    package func store(session id: Bytes, _ stored: Entry, now: Timestamp) {
        insert(id, now: now) { entry in
            let visit = entry.visit
            entry = stored
            entry.visit = visit
        }
    }

    /// Notes what was added to the times of a session without a row.
    func remember(session id: Bytes, skew: Int64?, now: Timestamp) {
        insert(id, now: now, confirms: false) { if $0.seen == 0 { $0.skew = skew } }
    }

    /// The number of a session's latest visit; 0: not known.
    func visit(ofSession id: Bytes) -> Int32 { access(id) { entry, _ in entry?.pointee.visit ?? 0 } }

    /// Notes the latest visit, after the commit.
    func remember(session id: Bytes, visit: Int32, now: Timestamp) {
        insert(id, now: now, confirms: false) { $0.visit = visit }
    }

    /// Profiles were merged: sessions that have the losers have the winners now.
    package func redirect(_ merges: [UUID: UUID]) {
        for shard in table {
            shard.withLock { $0.redirect(merges) }
        }
    }

    /// Forgets everything: the database is not the one that it was.
    package func removeAll() {
        for shard in table {
            shard.withLock { $0.removeAll() }
        }
    }

    private func access<Result>(
        _ id: Bytes, _ body: (UnsafeMutablePointer<Entry>?, _ remembered: Int64) -> Result
    ) -> Result {
        let key = (first.hash(id), second.hash(id))
        return table[Int(key.1 % UInt64(Self.shards))].withLock { shard in
            guard let slot = shard.find(key, in: Int(key.0 % UInt64(setsPerShard))) else {
                return body(nil, 0)
            }
            shard.touch(slot)
            return body(&slot.pointee.entry, slot.pointee.remembered)
        }
    }

    private func insert(
        _ id: Bytes, now: Timestamp, confirms: Bool = true, _ change: (inout Entry) -> Void
    ) {
        let key = (first.hash(id), second.hash(id))
        table[Int(key.1 % UInt64(Self.shards))].withLock { shard in
            let set = Int(key.0 % UInt64(setsPerShard))
            let slot = shard.find(key, in: set) ?? shard.replaceOldest(in: set, with: key)
            change(&slot.pointee.entry)
            shard.touch(slot)
            if confirms { slot.pointee.remembered = now.seconds }
        }
    }
}
