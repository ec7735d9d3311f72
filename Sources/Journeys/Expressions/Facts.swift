import Foundations
import Payload

/// A JSON text that is scanned when it is asked for the first time, and kept with its bytes.
final class Reading {
    var occurrence: Occurrence?
    private var bytes: Bytes
    private let isOwner: Bool
    private var document = JSONDocument()
    private var isParsed = false

    init(_ json: [UInt8], of occurrence: Occurrence? = nil) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(json.count, 1), alignment: 1)
        copy.copyBytes(from: json)
        bytes = Bytes(rebasing: copy[..<json.count])
        isOwner = true
        self.occurrence = occurrence
    }

    /// Of texts that somebody else keeps, one after the other.
    init() {
        bytes = Bytes(start: nil, count: 0)
        isOwner = false
    }

    /// The text from now on; it must stay in place for as long as it is looked at.
    func look(at json: Bytes) {
        (bytes, isParsed, occurrence) = (json, false, nil)
    }

    convenience init(_ occurrence: Occurrence) { self.init(occurrence.properties, of: occurrence) }

    deinit { if isOwner { bytes.deallocate() } }

    /// Null for a text that is not JSON.
    var root: JSONNode {
        if !isParsed {
            isParsed = true
            if bytes.count > 0 { try? document.parse(bytes) } else { document.reset() }
        }
        return document.root
    }
}

/// What an expression may look at: the event under test, the entry, the profile, its history, and the moment.
///
/// One belongs to one step of one profile; it reads texts when they are asked for, and keeps them.
package final class Facts {
    /// The event under test.
    var event: Reading?
    var entry: Reading?
    let attributes: Reading?
    /// The moment of the step as the server sees it: when the event was received, when the timer was due.
    package internal(set) var now: Timestamp
    /// The moment in event time: windows of `did` end there.
    package internal(set) var time: Timestamp
    let zone: Zone
    private let history: any History
    private let segments: (String) -> Expression?
    private let score: (String) -> (points: Decimal, band: String?)?
    /// An event that `did` and `last` must not see yet.
    var hidden: UUID?

    /// The earliest moment at which a window moved out of an event that was counted, so that the value may change.
    private(set) var nextChange: Timestamp?
    /// How much may still be done; when it is used up, everything is unknown.
    var budget = Facts.budget
    /// Steps of an evaluation; a usual condition takes ten.
    static let budget = 200_000
    /// Segments inside segments.
    var segmentDepth = 0
    /// Texts of other events that values point into.
    private var kept: [Reading] = []

    package convenience init(
        event: Occurrence?, entry: Occurrence?, attributes: [UInt8], now: Timestamp, time: Timestamp,
        zone: Zone = .utc, history: any History = NoHistory(),
        segments: @escaping (String) -> Expression? = { _ in nil },
        score: @escaping (String) -> (points: Decimal, band: String?)? = { _ in nil }
    ) {
        self.init(
            event: event.map { Reading($0) }, entry: entry.map { Reading($0) },
            attributes: attributes.isEmpty ? nil : Reading(attributes), now: now, time: time, zone: zone,
            history: history, segments: segments, score: score)
    }

    init(
        event: Reading?, entry: Reading?, attributes: Reading?, now: Timestamp, time: Timestamp, zone: Zone,
        history: any History, segments: @escaping (String) -> Expression?,
        score: @escaping (String) -> (points: Decimal, band: String?)?
    ) {
        (self.event, self.entry, self.attributes) = (event, entry, attributes)
        (self.now, self.time, self.zone, self.history) = (now, time, zone, history)
        (self.segments, self.score) = (segments, score)
    }

    func attribute(_ name: Name) -> Operand { Operand(attributes?.root.member(name)) }
    var attributesNode: JSONNode? { attributes?.root }
    func segment(_ name: String) -> Expression? { segments(name) }
    func scoreOf(_ name: String) -> (points: Decimal, band: String?)? { score(name) }

    func mayChange(at time: Timestamp) { nextChange = nextChange.map { min($0, time) } ?? time }

    /// The person's events of an activity that lie in the window, the newest first; false stops.
    func visit(_ activity: String, window: Int64?, _ body: (Occurrence) -> Bool) {
        let after = window.map { time.adding(microseconds: -$0) }
        history.visit(activity, after: after, through: time) { occurrence in
            if occurrence.id == hidden { return true }
            return body(occurrence)
        }
    }

    func keep(_ occurrence: Occurrence) -> Reading {
        let reading = Reading(occurrence)
        kept.append(reading)
        return reading
    }

    /// Uses so much of the budget; false: there is nothing left.
    @inline(__always) func spend(_ amount: Int) -> Bool {
        budget -= amount
        return budget > 0
    }

    /// Only one evaluation at a time has the budget.
    func refill() { budget = Facts.budget }
}

extension JSONNode {
    func member(_ name: Name) -> JSONNode? { name.bytes.withUnsafeBytes { member(decoded: $0) } }
}
