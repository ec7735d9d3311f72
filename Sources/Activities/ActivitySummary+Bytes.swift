import Foundations

/// How a summary is kept: all of it, in an order that depends on nothing but its content.
///
///     u8 version · u32 fingerprint of the secret · counts · label · times · sources · clients · latest events
///     · marks (the events that showed something first, with source and client) · quota · paths, each with all its
///     parts
extension ActivitySummary: Equatable {
    private static let version: UInt8 = 2
    /// Without groups and their quota; it is still read.
    private static let versionWithoutGroups: UInt8 = 1

    /// Appends it; equal summaries have equal bytes.
    package func encode(to buffer: inout ByteBuffer) {
        buffer.append(Self.version)
        buffer.append(little: limits.fingerprint)
        buffer.append(varint: count)
        guard count > 0, let first, let last, let times else { return }
        for number in [seen, cut, members] { buffer.append(varint: number) }
        buffer.append(counted: label)
        buffer.append(last)
        buffer.append(little: times.lowerBound.microseconds)
        buffer.append(little: times.upperBound.microseconds)
        sourceTable.encode(to: &buffer)
        clientTable.encode(to: &buffer)
        recent.encode(to: &buffer)
        let nodes = paths.nodes.sorted(by: PathNode.precedes)
        let marks = Set(nodes.flatMap(\.marks) + [first]).sorted {
            $0.key == $1.key ? ($0.source, $0.client) < ($1.source, $1.client) : $0.key < $1.key
        }
        encode(marks, first, to: &buffer)
        let numbers = Dictionary(uniqueKeysWithValues: zip(marks, 0...))
        buffer.append(varint: paths.quota)
        buffer.append(varint: nodes.count)
        for node in nodes { node.encode(to: &buffer, mask: node.mask(at: recent.moves, limits), numbers) }
    }

    private func encode(_ marks: [EventMark], _ first: EventMark, to buffer: inout ByteBuffer) {
        let texts = Set(marks.flatMap { [$0.source, $0.client] }).sorted()
        let numbers = Dictionary(uniqueKeysWithValues: zip(texts, 0...))
        buffer.append(varint: texts.count)
        for text in texts { buffer.append(counted: text) }
        buffer.append(varint: marks.count)
        for mark in marks {
            buffer.append(mark.key)
            buffer.append(varint: numbers[mark.source] ?? 0)
            buffer.append(varint: numbers[mark.client] ?? 0)
        }
        buffer.append(varint: marks.firstIndex(of: first) ?? 0)
    }

    package init(decoding bytes: Bytes, limits: SummaryLimits = SummaryLimits()) throws(SummaryError) {
        self.init(limits: limits)
        var reader = ByteReader(bytes)
        let version = try reader.byte()
        guard version == Self.version || version == Self.versionWithoutGroups else {
            throw reader.failure("version \(Self.version)")
        }
        let isGrouped = version == Self.version
        guard try reader.half() == limits.fingerprint else {
            throw reader.failure("a summary of this installation")
        }
        count = try reader.varint()
        guard count > 0 else { return }
        seen = try reader.varint()
        cut = try reader.varint()
        members = try reader.varint()
        label = try reader.text()
        last = try reader.key()
        times = try reader.times()
        sourceTable = try NameTable(&reader)
        clientTable = try NameTable(&reader)
        recent = try RecentEvents(&reader, limit: limits.recent)
        let marks = try reader.marks()
        first = try reader.mark(marks)
        let quota = isGrouped ? try reader.varint() : limits.paths
        var nodes: [PathNode] = []
        for _ in 0..<(try reader.varint()) {
            nodes.append(try PathNode(&reader, marks, isGrouped: isGrouped, limits))
        }
        guard reader.isAtEnd else { throw reader.failure("the end") }
        if !isGrouped { nodes = PathGroup.grouped(nodes, limits) }
        paths = PathTable(nodes, limit: limits.paths, quota: quota)
    }

    package static func == (a: Self, b: Self) -> Bool {
        var one = ByteBuffer()
        var other = ByteBuffer()
        a.encode(to: &one)
        b.encode(to: &other)
        return one.bytes.equals(other.bytes)
    }
}

extension ByteReader {
    fileprivate mutating func times() throws(SummaryError) -> ClosedRange<Timestamp> {
        let earliest = Timestamp(microseconds: Int64(bitPattern: try word()))
        let latest = Timestamp(microseconds: Int64(bitPattern: try word()))
        guard earliest <= latest else { throw failure("a later time") }
        return earliest...latest
    }

    fileprivate mutating func marks() throws(SummaryError) -> [EventMark] {
        var texts: [String] = []
        for _ in 0..<(try varint()) { texts.append(try text()) }
        var marks: [EventMark] = []
        for _ in 0..<(try varint()) {
            let key = try key()
            let (source, client) = (try varint(), try varint())
            guard source < texts.count, client < texts.count else { throw failure("the number of a text") }
            marks.append(EventMark(key: key, source: texts[source], client: texts[client]))
        }
        return marks
    }
}
