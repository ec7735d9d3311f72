import Foundations
import Payload

@testable import Journeys

/// Any text is an expression that comes to a value, or it is told where it is wrong.
func fuzzExpression(_ bytes: Bytes) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return }
    let length = text.unicodeScalars.count
    do {
        let expression = try Expression(text, .value)
        _ = Evaluator(facts: Sample.facts).value(expression) { $0.described }
    } catch {
        precondition(0...length ~= error.offset, "a mistake at \(error.offset) of \(length)")
    }
    for purpose in [Expression.Purpose.condition, .segment] {
        guard let expression = try? Expression(text, purpose) else { continue }
        _ = Evaluator(facts: Sample.facts).value(expression) { $0.described }
    }
    if let template = try? Template(text) { _ = template.render(Sample.facts) }
}

/// Any text is a folder of journeys, or its mistakes are told. What was read is read again from what the database keeps.
func fuzzJourneys(_ bytes: Bytes) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return }
    let folder = DefinitionFolder(texts: [("fuzz", text)])
    if !folder.mistakes.isEmpty { return }
    do {
        for journey in folder.journeys {
            let json = journey.canonicalJSON
            let again = try JourneyDefinition(name: journey.name, canonicalJSON: json, state: journey.state)
            precondition(again.canonicalJSON == json, "\(journey.name) is another one when it is read again")
        }
        for segment in folder.segments {
            let again = try SegmentDefinition(name: segment.name, canonicalJSON: segment.canonicalJSON)
            precondition(again == segment, "\(segment.name) is another one when it is read again")
        }
        for score in folder.scores {
            let again = try ScoreDefinition(name: score.name, canonicalJSON: score.canonicalJSON)
            precondition(again == score, "\(score.name) is another one when it is read again")
        }
    } catch {
        fatalError("what we wrote is refused: \(error)")
    }
    var simulation = Simulation(
        Engine(Rulebook(journeys: folder.journeys, segments: folder.segments, scores: folder.scores)))
    for occurrence in Sample.occurrences { simulation.take(occurrence, of: Sample.person) }
}

/// A person with two events, which everything is evaluated over.
private enum Sample {
    static let person = Subject.profile(UUID(high: 1, low: 2))
    static let occurrences = [
        occurrence("a", #"{"a":[1,"x",null,{"a":2}],"items":[{"price":1.5,"name":"sofa"}],"n":1e40}"#, at: 0),
        occurrence("b", #"{"a":{"b":"é"},"t":"2026-11-22T09:00:00Z","n":-0.5}"#, at: 60),
    ]

    static var facts: Facts {
        var history = Remembrance()
        for occurrence in occurrences { history.add(occurrence) }
        return Facts(
            event: occurrences[1], entry: occurrences[0], attributes: Array(#"{"tier":"gold","n":3}"#.utf8),
            now: occurrences[1].received, time: occurrences[1].time, history: history)
    }

    private static func occurrence(_ activity: String, _ json: String, at seconds: Int64) -> Occurrence {
        let time = Timestamp(seconds: 1_767_614_400 + seconds)
        return Occurrence(
            id: UUID(high: 3, low: UInt64(seconds)), activity: activity, source: "shop", time: time,
            received: time, properties: Array(json.utf8))
    }
}
