import Foundations

extension PathNode {
    func encode(to buffer: inout ByteBuffer, mask: PresenceMask, _ marks: [EventMark: Int]) {
        let append = { (buffer: inout ByteBuffer, mark: EventMark) in buffer.append(varint: marks[mark] ?? 0)
        }
        buffer.append(little: hash)
        buffer.append(little: rank)
        buffer.append(little: group)
        buffer.append(little: parent)
        buffer.append(varint: depth)
        segment.encode(to: &buffer)
        buffer.append(hint.rawValue)
        buffer.append(personal.rawValue)
        buffer.append(varint: values)
        buffer.append(varint: events)
        buffer.append(varint: children)
        buffer.append(little: presencePrint)
        buffer.append(little: lengthPrint)
        append(&buffer, first)
        buffer.append(last)
        buffer.append(varint: kinds.count)
        for kind in kinds {
            buffer.append(kind.kind.rawValue)
            buffer.append(varint: kind.count)
            append(&buffer, kind.first)
        }
        buffer.append(words: mask.words)
        buffer.append(varint: vanished == nil ? 0 : 1)
        if let vanished { append(&buffer, vanished) }
        texts.encode(to: &buffer)
        arrays.encode(to: &buffer)
        numbers.encode(to: &buffer)
        table.encode(to: &buffer)
        samples.encode(to: &buffer)
    }

    init(
        _ reader: inout ByteReader, _ marks: [EventMark], isGrouped: Bool, _ limits: SummaryLimits
    ) throws(SummaryError) {
        hash = try reader.word()
        rank = try reader.word()
        group = isGrouped ? try reader.word() : 0
        parent = try reader.word()
        depth = try reader.varint()
        segment = try ParameterPath.Segment(&reader)
        hint = PersonalKinds(rawValue: try reader.byte())
        personal = PersonalKinds(rawValue: try reader.byte())
        values = try reader.varint()
        events = try reader.varint()
        children = try reader.varint()
        presencePrint = try reader.word()
        lengthPrint = try reader.word()
        first = try reader.mark(marks)
        last = try reader.key()
        for _ in 0..<(try reader.varint()) {
            let kind = try reader.kind()
            kinds.append(KindCount(kind: kind, count: try reader.varint(), first: try reader.mark(marks)))
        }
        mask = PresenceMask(words: try reader.words())
        if try reader.varint() != 0 { vanished = try reader.mark(marks) }
        texts = try Extent(&reader)
        arrays = try Extent(&reader)
        numbers = try NumberSummary(&reader)
        table = try ValueTable(&reader, limits)
        samples = try SampleTable(&reader, limits)
        touched = 0
        moved = 0
    }

    /// The same in a group.
    init(_ node: PathNode, group: UInt64, rank: UInt64) {
        self = node
        (self.group, self.rank) = (group, rank)
    }

    /// What it is in its parent; nil: a member with a name.
    var kind: UInt64? {
        switch segment {
        case .element: SummaryLimits.element
        case .anyKey: SummaryLimits.anyKey
        case .name, .long: nil
        }
    }

    /// The marks that it refers to.
    var marks: [EventMark] { [first] + kinds.map(\.first) + (vanished.map { [$0] } ?? []) }
}

extension ByteReader {
    mutating func mark(_ marks: [EventMark]) throws(SummaryError) -> EventMark {
        let at = try varint()
        guard at < marks.count else { throw failure("the number of an event") }
        return marks[at]
    }
}

extension Extent {
    func encode(to buffer: inout ByteBuffer) {
        buffer.append(varint: range == nil ? 0 : 1)
        guard let range else { return }
        buffer.append(varint: range.lowerBound)
        buffer.append(varint: range.upperBound)
    }

    init(_ reader: inout ByteReader) throws(SummaryError) {
        self.init()
        guard try reader.varint() != 0 else { return }
        add(try reader.varint())
        add(try reader.varint())
    }
}

extension ParameterPath.Segment {
    func encode(to buffer: inout ByteBuffer) {
        switch self {
        case .name(let name):
            buffer.append(UInt8(0))
            buffer.append(counted: name)
        case .long(let beginning, let digest):
            buffer.append(UInt8(1))
            buffer.append(counted: beginning)
            buffer.append(counted: digest)
        case .element: buffer.append(UInt8(2))
        case .anyKey: buffer.append(UInt8(3))
        }
    }

    init(_ reader: inout ByteReader) throws(SummaryError) {
        switch try reader.byte() {
        case 0: self = .name(try reader.text())
        case 1: self = .long(beginning: try reader.text(), digest: try reader.text())
        case 2: self = .element
        case 3: self = .anyKey
        default: throw reader.failure("a part of a path")
        }
    }
}
