import Foundations

/// Hashes values so that two have the same hash exactly when jsonb holds them to be equal (but for the
/// chance of a collision in 64 bits).
///
/// The order of an object's keys does not matter, of repeated keys the last one counts, `1`, `1.0` and
/// `10e-1` are one number, strings are compared by their decoded and repaired text. The function is fixed
/// for all time and all machines: hashes are kept in the database.
///
/// It walks the tape backwards, so that a container's parts are always done before itself: no recursion, and
/// the hashes of parts that wait lie on one stack, the first part on top.
package struct ContentHasher: ~Copyable, @unchecked Sendable {  // unique owner of its memory
    private var stack: UnsafeMutablePointer<UInt64>
    private var capacity: Int
    private var filled = 0
    private var decoded = ByteBuffer(capacity: 256)
    private var keys = KeySet()

    /// A stack of up to 64 K hashes (512 KB) is kept.
    private static let kept = 1 << 16

    package init() {
        capacity = 256
        stack = .allocate(capacity: capacity)
    }

    deinit { stack.deallocate() }

    /// The hash of an event's content: its activity and its properties (none, or null, are as good as `{}`).
    package mutating func hash(activity: Bytes, properties: JSONNode?) -> UInt64 {
        var mixer = ContentMixer(.event)
        mixer.add(activity)
        if let properties, !properties.isNull {
            mixer.add(hash(properties))
        } else {
            mixer.add(Self.emptyObject)
        }
        return mixer.finish()
    }

    /// The hash of a value.
    package mutating func hash(_ node: JSONNode) -> UInt64 {
        filled = 0
        var at = node.entry + node.span
        while at > node.entry {
            at -= 1
            let part = JSONNode(entry: at, text: node.text)
            let count = part.count
            switch part.kind {
            case .object: replaceTop(2 * count, with: object(members: count))
            case .array: replaceTop(count, with: array(elements: count))
            default: replaceTop(0, with: scalar(part))
            }
        }
        let hash = stack[0]
        giveBack()
        return hash
    }

    // MARK: - The parts

    private mutating func scalar(_ node: JSONNode) -> UInt64 {
        switch node.kind {
        case .string: return string(node)
        case .number where !node.needsRepair: return JSONNumber(node.bytes).contentHash
        case .number: return Self.string(node.bytes)
        case .true: return ContentMixer(.true).finish()
        case .false: return ContentMixer(.false).finish()
        default: return ContentMixer(.null).finish()
        }
    }

    private mutating func string(_ node: JSONNode) -> UInt64 {
        guard node.hasEscapes else { return Self.string(node.contents) }
        decoded.removeAll()
        decoded.shrink(to: Self.kept)
        node.appendText(to: &decoded)
        return Self.string(decoded.bytes)
    }

    private static func string(_ text: Bytes) -> UInt64 {
        var mixer = ContentMixer(.string)
        mixer.add(text)
        return mixer.finish()
    }

    private func array(elements: Int) -> UInt64 {
        var mixer = ContentMixer(.array)
        for i in 0..<elements { mixer.add(stack[filled - 1 - i]) }
        mixer.add(UInt64(elements))
        return mixer.finish()
    }

    private mutating func object(members: Int) -> UInt64 {
        var sum: UInt64 = 0
        var kept: UInt64 = 0
        keys.empty(for: members)
        // From the last to the first: a key that was seen already has been overwritten.
        for i in stride(from: members - 1, through: 0, by: -1) {
            let key = stack[filled - 1 - 2 * i]
            guard keys.insert(key) else { continue }
            var member = ContentMixer(.member)
            member.add(key)
            member.add(stack[filled - 2 - 2 * i])
            sum = sum &+ member.finish()
            kept += 1
        }
        var mixer = ContentMixer(.object)
        mixer.add(sum)
        mixer.add(kept)
        return mixer.finish()
    }

    private static let emptyObject: UInt64 = {
        var mixer = ContentMixer(.object)
        mixer.add(0)
        mixer.add(0)
        return mixer.finish()
    }()

    // MARK: - The stack

    private mutating func replaceTop(_ count: Int, with hash: UInt64) {
        filled -= count
        if filled == capacity { grow() }
        stack[filled] = hash
        filled += 1
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity * 2)
        larger.update(from: stack, count: filled)
        stack.deallocate()
        stack = larger
        capacity *= 2
    }

    private mutating func giveBack() {
        keys.giveBack(above: Self.kept)
        guard capacity > Self.kept else { return }
        stack.deallocate()
        capacity = 256
        stack = .allocate(capacity: capacity)
    }
}
