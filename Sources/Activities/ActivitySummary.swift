import Foundations
import Payload

/// What is known of one activity: how often it came, and what its events carried.
///
/// It can be merged: the summaries of two halves of the events, merged in any order, are the summary of all
/// of them, also where limits were reached.
package struct ActivitySummary: Equatable, Sendable {
    package let limits: SummaryLimits
    package private(set) var count = 0
    package private(set) var first: EventMark?
    package private(set) var last: EventKey?
    /// The name as the first event had it.
    package private(set) var label = ""
    /// Values that belong to no path that is kept.
    package private(set) var truncated = 0
    /// Who sent it, the most frequent first.
    package private(set) var sources: [(name: String, count: Int)] = []
    package private(set) var clients: [(name: String, count: Int)] = []

    package init(limits: SummaryLimits = SummaryLimits()) { self.limits = limits }

    /// Learns from an event. An event that was observed twice counts twice.
    package mutating func observe(_ properties: JSONNode, _ facts: EventFacts) {
        count += 1
        if facts.key < first?.key ?? facts.key || first == nil {
            first = EventMark(facts)
            label = facts.label.text
        }
        last = max(last ?? facts.key, facts.key)
    }

    /// Adds what another summary, of other events, knows.
    package mutating func merge(_ other: ActivitySummary) {
        count += other.count
    }

    /// By path, in the order of their bytes.
    package var parameters: [ParameterSummary] { [] }

    /// Events a second, over the latest of them; nil for fewer than two.
    package var rate: Double? { nil }

    /// Remembers what has been entered into the history, so that it is not entered again.
    package mutating func acknowledge(_ entries: [DriftEntry]) {}

    /// Roughly how many bytes of memory it takes.
    package var footprint: Int { 0 }

    /// Appends it; equal summaries have equal bytes.
    package func encode(to buffer: inout ByteBuffer) { buffer.append(little: UInt64(count)) }

    package init(decoding bytes: Bytes, limits: SummaryLimits = SummaryLimits()) throws(SummaryError) {
        guard bytes.count == 8 else { throw SummaryError(wanted: "a summary", offset: 0) }
        self.limits = limits
        count = Int(UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)))
    }

    package static func == (a: Self, b: Self) -> Bool { a.count == b.count }
}
