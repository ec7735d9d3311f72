import Foundations

/// Values of random events: those with the smallest hash of event and value. Frequent values are in it often.
struct SampleTable: Sendable {
    struct Sample: Sendable {
        let priority: UInt64
        let kind: ValueKind
        let text: String
    }

    /// In ascending order of their priority.
    private(set) var samples: [Sample] = []
    /// A sample must be below it to be taken.
    private var bar = UInt64.max

    init() {}

    @inline(__always) func takes(_ priority: UInt64) -> Bool { priority < bar }

    mutating func add(_ sample: Sample, _ limits: SummaryLimits) {
        let at = samples.firstIndex { $0.priority >= sample.priority } ?? samples.count
        if at < samples.count, samples[at].priority == sample.priority { return }
        samples.insert(sample, at: at)
        trim(limits)
    }

    private mutating func trim(_ limits: SummaryLimits) {
        if samples.count > limits.samples { samples.removeLast(samples.count - limits.samples) }
        bar = samples.count == limits.samples ? samples[samples.count - 1].priority : .max
    }

    mutating func merge(_ other: SampleTable, _ limits: SummaryLimits) {
        for sample in other.samples where takes(sample.priority) { add(sample, limits) }
    }

    mutating func dropAll() {
        samples = []
        bar = .max
    }

    // MARK: - Bytes

    func encode(to buffer: inout ByteBuffer) {
        buffer.append(varint: samples.count)
        for sample in samples {
            buffer.append(little: sample.priority)
            buffer.append(sample.kind.rawValue)
            buffer.append(counted: sample.text)
        }
    }

    init(_ reader: inout ByteReader, _ limits: SummaryLimits) throws(SummaryError) {
        for _ in 0..<(try reader.varint()) {
            let priority = try reader.word()
            samples.append(Sample(priority: priority, kind: try reader.kind(), text: try reader.text()))
        }
        trim(limits)
    }
}
