import Foundations
import Payload

@testable import Activities

/// An event for a summary to observe.
struct Sighting {
    var json: String
    var facts: (id: UUID, receivedAt: Int64)
    var source = "shop"
    var client = "web/1.0"

    /// `number` is the event's place in time.
    init(_ json: String, _ number: Int = 1, source: String = "shop", client: String = "web/1.0") {
        self.json = json
        facts = (UUID(high: 7, low: UInt64(number)), 1_000_000 * Int64(number))
        self.source = source
        self.client = client
    }
}

extension ActivitySummary {
    mutating func observe(_ sighting: Sighting) {
        let (json, source, client) = (
            Array(sighting.json.utf8), Array(sighting.source.utf8), Array(sighting.client.utf8)
        )
        var document = JSONDocument()
        json.withUnsafeBytes { json in
            do { try document.parse(json) } catch { fatalError("\(error) in \(sighting.json)") }
            source.withUnsafeBytes { source in
                client.withUnsafeBytes { client in
                    let at = Timestamp(microseconds: sighting.facts.receivedAt)
                    observe(
                        document.root,
                        EventFacts(
                            id: sighting.facts.id, receivedAt: at, time: at, source: source, client: client))
                }
            }
        }
    }

    init(_ sightings: [Sighting], limits: SummaryLimits = SummaryLimits()) {
        self.init(limits: limits)
        for sighting in sightings { observe(sighting) }
    }

    /// One event after the other, with these properties.
    init(_ texts: String..., limits: SummaryLimits = SummaryLimits()) {
        self.init(zip(texts, 1...).map { Sighting($0, $1) }, limits: limits)
    }

    subscript(_ path: String) -> ParameterSummary? {
        parameters.first { $0.path.text.utf8.elementsEqual(path.utf8) }
    }

    /// Written and read again.
    func rewritten() throws -> ActivitySummary {
        var buffer = ByteBuffer()
        encode(to: &buffer)
        return try ActivitySummary(decoding: buffer.bytes, limits: limits)
    }
}

extension ParameterSummary {
    /// `integer 2, text 1`
    var kindsText: String { kinds.map { "\($0.kind.name) \($0.count)" }.joined(separator: ", ") }
}

/// A random number generator that can be run again: SplitMix64.
struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
    mutating func one(in many: Int) -> Bool { below(many) == 0 }
    mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
}
