import ConfigurationFile
import Enrolments
import Foundations
import Journeys
import Postgres
import Webhooks

extension Endpoints {
    /// What the commands do with the journeys' files: the files come in the body.
    static func definitions(_ setting: Locked<RulesInForce.Setting>) -> [Endpoint] {
        [export, check(setting), simulate(setting), plan(setting), apply(setting)]
    }

    private static let export = Endpoint(
        verb: .get, path: "/admin/definitions", name: "exportDefinitions", tag: .definitions,
        summary: "What is in force, as a file",
        explanation: "YAML that can be sent to `apply`: it changes nothing. Secrets are references.",
        answer: .object(
            "Export",
            [
                "text": Shape.text.saying("YAML"),
                "faults": Shape.list(of: .text).saying("what is stored and cannot be read"),
            ]),
        work: .database { _, connection in
            let (text, faults) = try DefinitionExport.yaml(connection)
            return ["text": .text(text), "faults": JSONValue(faults)]
        })

    private static func check(_ setting: Locked<RulesInForce.Setting>) -> Endpoint {
        Endpoint(
            verb: .post, path: "/admin/definitions/check", name: "checkDefinitions", tag: .definitions,
            summary: "All mistakes of files",
            explanation: "With warnings of names that nobody has sent yet. Nothing is changed.",
            body: Shapes.files,
            answer: .object(
                "Checked",
                [
                    "ok": .flag, "mistakes": .list(of: .text), "warnings": .list(of: .text),
                    "journeys": .count, "webhooks": .count, "segments": .count, "scores": .count,
                    "scenarios": .count,
                ]),
            work: .patient { inquiry, connection in
                let sent = SentDefinitions(inquiry, setting.withLock { $0 })
                let warnings = try sent.warnings(connection)
                let folder = sent.folder
                return [
                    "ok": .bool(folder.mistakes.isEmpty), "mistakes": JSONValue(folder.mistakes),
                    "warnings": JSONValue(warnings), "journeys": .integer(folder.journeys.count),
                    "webhooks": .integer(folder.webhooks.count),
                    "segments": .integer(folder.segments.count), "scores": .integer(folder.scores.count),
                    "scenarios": .integer(folder.scenarios.count),
                ]
            })
    }

    private static func simulate(_ setting: Locked<RulesInForce.Setting>) -> Endpoint {
        Endpoint(
            verb: .post, path: "/admin/definitions/simulate", name: "simulateScenarios", tag: .definitions,
            summary: "Run the scenarios of files in virtual time",
            explanation: "With the journeys that are sent along. Nothing is sent out and nothing is changed.",
            body: Shapes.files,
            answer: .object(
                "Simulated",
                [
                    "passed": .count, "failed": .count,
                    "scenarios": .list(
                        of: .object(
                            "ScenarioOutcome",
                            [
                                "name": .text, "journey": .text, "passed": .flag,
                                "report": Shape.list(of: .text).saying("what differs, and what happened"),
                            ])),
                ]),
            refusals: SentDefinitions.refusals,
            work: .patient { inquiry, _ in
                let sent = try SentDefinitions(inquiry, setting.withLock { $0 }).whole()
                let runs = sent.folder.scenarios.compactMap { scenario in
                    sent.folder.journey(scenario.journey).map {
                        ScenarioRun(scenario, journey: $0, folder: sent.folder, zone: sent.zone)
                    }
                }
                let passed = runs.count(where: \.passed)
                return [
                    "passed": .integer(passed), "failed": .integer(runs.count - passed),
                    "scenarios": .list(runs.map { Shapes.outcome($0) }),
                ]
            })
    }

    private static func plan(_ setting: Locked<RulesInForce.Setting>) -> Endpoint {
        Endpoint(
            verb: .post, path: "/admin/definitions/plan", name: "planDefinitions", tag: .definitions,
            summary: "What applying files would change", explanation: whole, body: Shapes.files,
            answer: Shapes.changes, refusals: SentDefinitions.refusals,
            work: .patient { inquiry, connection in
                let sent = try SentDefinitions(inquiry, setting.withLock { $0 }).whole()
                let warnings = try sent.warnings(connection)
                return Shapes.changes(try DefinitionStore.plan(sent.set, connection), warnings)
            })
    }

    private static func apply(_ setting: Locked<RulesInForce.Setting>) -> Endpoint {
        Endpoint(
            verb: .post, path: "/admin/definitions/apply", name: "applyDefinitions", tag: .definitions,
            summary: "Bring files into force, all or nothing",
            explanation: """
                \(whole) A secret (`${NAME}`), `allow_networks` and `ca` of a webhook must be applied already for the \
                same scheme, host and port: whoever has this token cannot send the server's secrets elsewhere, nor \
                have it post into private networks. `waymark journeys apply` brings in new ones.
                """,
            access: .write, body: Shapes.files, answer: Shapes.changes, refusals: SentDefinitions.refusals,
            work: .patient { inquiry, connection in
                let sent = try SentDefinitions(inquiry, setting.withLock { $0 }).whole()
                let warnings = try sent.warnings(connection)
                let known = try WebhookStore.definitions(connection).values
                let strangers = sent.set.webhooks.compactMap { $0.wants(moreThan: known) }
                if !strangers.isEmpty { throw Refusal.mistakes(strangers) }
                let changes = try DefinitionStore.apply(sent.set, at: Clock.system.now(), connection)
                return Shapes.changes(changes, warnings)
            })
    }

    private static let whole =
        "The files are all there is: what stands in none of them is removed, as by the command."
}
