import Foundations

/// The distinct values of a parameter: all of their hashes while they are few, then the smallest ones, from
/// which their number is estimated; and for the smallest of all the values themselves, with exact counts.
///
/// What is kept depends only on the set of values: a value among the smallest of all was among the smallest
/// from its first time on, so its count is whole.
struct ValueTable: Sendable {
    struct Value: Sendable {
        let kind: ValueKind
        let text: String
        var count: Int
    }

    /// In ascending order.
    private(set) var hashes: [UInt64] = []
    /// Of the first hashes. None once `keepsValues` is false.
    private(set) var values: [Value] = []
    /// Of each hash the kind of its value, while it is known: so that a text is looked at only once.
    private var known: [UInt8] = []
    private static let unknown: UInt8 = 0xff
    private(set) var isEstimate = false
    private(set) var keepsValues = true

    init() {}

    /// Where a hash is, or would be.
    @inline(__always) func place(of hash: UInt64) -> Int {
        hashes.withUnsafeBufferPointer { hashes in
            var (low, count) = (0, hashes.count)
            while count > 0 {
                let half = count >> 1
                if hashes[low + half] < hash {
                    low += half + 1
                    count -= half + 1
                } else {
                    count = half
                }
            }
            return low
        }
    }

    @inline(__always) func holds(_ hash: UInt64, at place: Int) -> Bool {
        place < hashes.count && hashes[place] == hash
    }

    /// Counts a value that is kept, at its place; its kind.
    @inline(__always) mutating func countAgain(_ hash: UInt64, at place: Int) -> ValueKind? {
        guard place < values.count, hashes[place] == hash else { return nil }
        values[place].count += 1
        return values[place].kind
    }

    /// The kind of a value that was looked at before, at its place.
    @inline(__always) func kind(of hash: UInt64, at place: Int) -> ValueKind? {
        holds(hash, at: place) ? ValueKind(rawValue: known[place]) : nil
    }

    /// Takes a value that is not kept, at its place.
    mutating func add(
        _ hash: UInt64, at place: Int, _ limits: SummaryLimits, _ kind: ValueKind, _ text: () -> String
    ) {
        guard !holds(hash, at: place) else {
            known[place] = kind.rawValue
            return
        }
        if isEstimate, place >= limits.sketch { return }
        hashes.insert(hash, at: place)
        known.insert(kind.rawValue, at: place)
        if keepsValues, place < limits.values {
            values.insert(Value(kind: kind, text: text(), count: 1), at: place)
            if values.count > limits.values { values.removeLast() }
        }
        trim(limits)
    }

    private mutating func trim(_ limits: SummaryLimits) {
        if hashes.count > limits.exactDistinct { isEstimate = true }
        if isEstimate, hashes.count > limits.sketch {
            hashes.removeLast(hashes.count - limits.sketch)
            known.removeLast(known.count - limits.sketch)
            // What held all values until now would hold on to their room.
            if hashes.capacity > 2 * limits.sketch { hashes = hashes.map { $0 } }
        }
        if values.count > min(limits.values, hashes.count) {
            values.removeLast(values.count - min(limits.values, hashes.count))
        }
    }

    /// Forgets the values, for good; only how many there are is known from now on.
    mutating func dropValues() {
        values = []
        keepsValues = false
    }

    mutating func merge(_ other: ValueTable, _ limits: SummaryLimits) {
        if !other.keepsValues { dropValues() }
        isEstimate = isEstimate || other.isEstimate
        var (merged, kept): ([UInt64], [Value]) = ([], [])
        merged.reserveCapacity(hashes.count + other.hashes.count)
        var (i, j) = (0, 0)
        while i < hashes.count || j < other.hashes.count {
            let mine = i < hashes.count ? hashes[i] : nil
            let theirs = j < other.hashes.count ? other.hashes[j] : nil
            let next = min(mine ?? .max, theirs ?? .max)
            var value: Value?
            if mine == next {
                value = i < values.count ? values[i] : nil
                i += 1
            }
            if theirs == next {
                if j < other.values.count {
                    let their = other.values[j]
                    value = Value(
                        kind: their.kind, text: their.text, count: their.count + (value?.count ?? 0))
                }
                j += 1
            }
            merged.append(next)
            if keepsValues, merged.count <= limits.values, let value { kept.append(value) }
        }
        (hashes, values) = (merged, kept)
        known = Array(repeating: Self.unknown, count: hashes.count)
        trim(limits)
    }

    /// Exact, or from the k-th smallest of hashes that are spread evenly.
    var distinct: DistinctCount {
        guard isEstimate, let last = hashes.last, last > 0 else {
            return DistinctCount(count: hashes.count, isExact: !isEstimate)
        }
        let share = Double(last) / 18_446_744_073_709_551_616
        return DistinctCount(count: Int(Double(hashes.count - 1) / share), isExact: false)
    }

    var holdsAllValues: Bool { values.count == hashes.count && !isEstimate }

    // MARK: - Bytes

    func encode(to buffer: inout ByteBuffer) {
        buffer.append(UInt8(isEstimate ? 1 : 0) | (keepsValues ? 2 : 0))
        buffer.append(words: hashes)
        buffer.append(varint: values.count)
        for value in values {
            buffer.append(value.kind.rawValue)
            buffer.append(counted: value.text)
            buffer.append(varint: value.count)
        }
    }

    init(_ reader: inout ByteReader, _ limits: SummaryLimits) throws(SummaryError) {
        let flags = try reader.byte()
        isEstimate = flags & 1 != 0
        keepsValues = flags & 2 != 0
        hashes = try reader.words()
        known = Array(repeating: Self.unknown, count: hashes.count)
        for _ in 0..<(try reader.varint()) {
            let kind = try reader.kind()
            values.append(Value(kind: kind, text: try reader.text(), count: try reader.varint()))
        }
        guard values.count <= hashes.count else { throw reader.failure("fewer values") }
        trim(limits)
    }
}

extension ByteReader {
    mutating func kind() throws(SummaryError) -> ValueKind {
        guard let kind = ValueKind(rawValue: try byte()) else { throw failure("a kind of values") }
        return kind
    }
}
