internal import Foundations
import Glibc

/// The requests of a lane that wait for their answers, and what has to be known of each when it comes.
///
/// Each connection has a list of them, in the order of its requests; the table is one piece of memory for all,
/// so that an idle connection takes nothing of it.
struct PendingTable: ~Copyable {
    struct Entry {
        var next: Int32 = -1
        var sequence: UInt32 = 0
        /// Monotonic nanoseconds.
        var startedAt: UInt64 = 0
        var isHead = false
        /// HTTP/1.0 has to be told that the connection stays.
        var isOldVersion = false
        /// The connection ends with this answer.
        var closes = false
        /// How long the caller's request id is; 0: it sent none.
        var idLength: UInt8 = 0
        /// An answer that came before its turn, as it will be sent.
        var early: UnsafeMutableRawBufferPointer?
    }

    static let maximumID = 128

    private var entries: UnsafeMutablePointer<Entry>
    private var ids: UnsafeMutableRawPointer
    private var capacity: Int
    private var free: Int32
    private(set) var count = 0

    init() {
        capacity = 64
        entries = .allocate(capacity: capacity)
        ids = .allocate(byteCount: capacity * Self.maximumID, alignment: 16)
        free = -1
        link(from: 0)
    }

    deinit {
        entries.deallocate()
        ids.deallocate()
    }

    private mutating func link(from start: Int) {
        for i in (start..<capacity).reversed() {
            entries.advanced(by: i).initialize(to: Entry(next: free))
            free = Int32(i)
        }
    }

    private mutating func grow() {
        let moved = UnsafeMutablePointer<Entry>.allocate(capacity: capacity * 2)
        moved.moveInitialize(from: entries, count: capacity)
        entries.deallocate()
        entries = moved
        let movedIDs = UnsafeMutableRawPointer.allocate(
            byteCount: capacity * 2 * Self.maximumID, alignment: 16)
        memcpy(movedIDs, ids, capacity * Self.maximumID)
        ids.deallocate()
        ids = movedIDs
        capacity *= 2
        link(from: capacity / 2)
    }

    mutating func add(_ entry: Entry, id: Bytes) -> Int32 {
        if free < 0 { grow() }
        let index = free
        free = entries[Int(index)].next
        entries[Int(index)] = entry
        entries[Int(index)].idLength = UInt8(min(id.count, Self.maximumID))
        if let base = id.baseAddress {
            memcpy(ids + Int(index) * Self.maximumID, base, min(id.count, Self.maximumID))
        }
        count += 1
        return index
    }

    /// Frees an entry; returns the one after it.
    mutating func remove(_ index: Int32) -> Int32 {
        let next = entries[Int(index)].next
        entries[Int(index)].early?.deallocate()
        entries[Int(index)] = Entry(next: free)
        free = index
        count -= 1
        return next
    }

    subscript(index: Int32) -> Entry {
        get { entries[Int(index)] }
        nonmutating set { entries[Int(index)] = newValue }
    }

    func append(_ index: Int32, to last: Int32) { entries[Int(last)].next = index }

    /// The caller's request id. Valid until an entry is added.
    func id(_ index: Int32) -> Bytes {
        Bytes(start: ids + Int(index) * Self.maximumID, count: Int(entries[Int(index)].idLength))
    }
}
