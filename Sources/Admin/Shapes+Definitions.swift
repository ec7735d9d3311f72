import Enrolments
import Foundations
import Journeys

extension Shapes {
    static let files = Shape.object(
        "Files",
        [
            "files": Shape.list(
                of: .object(
                    "File",
                    [
                        "name": Shape.text(1...256).saying("what mistakes call it").like("cart.yaml"),
                        "text": Shape.text.saying("YAML").like(.text(example)),
                    ])
            ).saying("all files of the folder")
        ]
    ).like(["files": [["name": "cart.yaml", "text": .text(example)]]])

    private static let example =
        "journeys: {high_value_cart: {state: draft, on: {did: cart updated}, do: [{exit: done}]}}"

    static let changes = Shape.object(
        "Changes",
        [
            "changes": .list(
                of: .object(
                    "Change",
                    [
                        "kind": .oneOf("added", "changed", "removed", "state"),
                        "what": Shape.text.like("journey high_value_cart"), "detail": .text,
                        "running": Shape.count.saying("enrolments that run with what is replaced"),
                        "timers": Shape.count.saying("their timers: only a pause holds them"),
                    ])),
            "warnings": Shape.list(of: .text).saying("names that nobody has sent yet, and others"),
        ])

    static func changes(_ changes: [DefinitionChange], _ warnings: [String]) -> JSONValue {
        let items = changes.map { change -> JSONValue in
            [
                "kind": .text(change.kind.rawValue), "what": .text(change.what),
                "detail": .text(change.detail), "running": .integer(change.running),
                "timers": .integer(change.timers),
            ]
        }
        return ["changes": .list(items), "warnings": JSONValue(warnings)]
    }

    static func outcome(_ run: ScenarioRun) -> JSONValue {
        [
            "name": .text(run.scenario.name), "journey": .text(run.scenario.journey),
            "passed": .bool(run.passed), "report": JSONValue(run.report),
        ]
    }

    static let backtest: Shape = {
        let fire = Shape.object(
            "Fire",
            [
                "at": .moment,
                "subject": Shape.id.saying("the profile; of an event without one, the event"),
                "webhook": .text, "key": .text, "event": Shape.id.orNull.saying("the entry"),
            ])
        let fires = Shape.list(of: fire)
        return .object(
            "Backtest",
            [
                "since": .moment, "until": .moment,
                "complete": Shape.flag.saying(
                    "false: it took too long or fired too often, and ended before the last person; nothing is compared"
                ), "persons": .count, "events": .count, "enrolled": .count, "fired": .count,
                "subjects": Shape.count.saying("for how many it fired"),
                "fires": fires.saying("the latest, at most `limit` of them"),
                "live": Shape.count.saying("what the live version fired in that time"),
                "only_backtest": .count, "only_backtest_fires": fires, "only_live": .count,
                "only_live_fires": fires,
                "notes": Shape.list(of: .text).saying("what it went by, and what it could not know"),
            ])
    }()

    static func backtest(
        _ result: Backtest.Result, since: Timestamp, until: Timestamp, limit: Int
    ) -> JSONValue {
        func list(_ fires: [Backtest.Fire]) -> JSONValue {
            .list(
                fires.suffix(limit).map { fire in
                    [
                        "at": JSONValue(fire.at), "subject": JSONValue(fire.subject),
                        "webhook": .text(fire.webhook), "key": .text(fire.key),
                        "event": JSONValue(fire.event),
                    ]
                })
        }
        return [
            "since": JSONValue(since), "until": JSONValue(until), "complete": .bool(result.isComplete),
            "persons": .integer(result.persons), "events": .integer(result.events),
            "enrolled": .integer(result.enrolled), "fired": .integer(result.fires.count),
            "subjects": .integer(Set(result.fires.map(\.subject)).count), "fires": list(result.fires),
            "live": .integer(result.live), "only_backtest": .integer(result.onlyBacktest.count),
            "only_backtest_fires": list(result.onlyBacktest), "only_live": .integer(result.onlyLive.count),
            "only_live_fires": list(result.onlyLive), "notes": .list(result.notes.map { .text($0) }),
        ]
    }
}
