import Dispatch
import Enrolments
import Foundations
import Journeys
import Outbound
import Postgres
import Webhooks

extension Endpoints {
    /// What can be tried out: a journey over stored history, a webhook with a sample.
    static func trials(_ parts: AdminServer.Parts, _ setting: Locked<RulesInForce.Setting>) -> [Endpoint] {
        [backtestApplied(setting), backtestSent(setting), testWebhook(parts, setting)]
    }

    // MARK: Backtests

    private static let journey = Parameter.path(
        "name", .text(1...256), "the journey's name", like: "high_value_cart")
    private static let since = Parameter.query(
        "since", .moment, "how far back; 30 days, if it is not said", like: "2026-01-31T00:00:00Z")
    private static let listed: Parameter = {
        var limit = Parameter.query(
            "limit", .integer(Parameter.pageSizes), "how many fires each list has at most", like: 20)
        limit.fallback = 50
        return limit
    }()

    /// Of one backtest: so many seconds, and so many fires in memory.
    private static let patience: UInt64 = 20
    private static let mostFires = 100_000

    private static let bounded = """
        Nothing is sent or written. It ends after \(patience) s or \(mostFires) fires at the latest, and says so by \
        `complete`; `waymark journeys backtest` goes on to the end.
        """

    private static func backtestApplied(_ setting: Locked<RulesInForce.Setting>) -> Endpoint {
        Endpoint(
            verb: .get, path: "/admin/journeys/{name}/backtest", name: "backtestJourney", tag: .journeys,
            summary: "What the applied journey would have done with the stored events", explanation: bounded,
            parameters: [journey, since, listed], answer: Shapes.backtest,
            refusals: [404: "There is no such journey."],
            work: .patient { inquiry, connection in
                let zone = try RulesInForce.read(setting.withLock { $0 }, connection).zone
                let (journeys, segments, scores) = try AppliedDefinitions.read(connection)
                return try backtest(inquiry, journeys, segments, scores, zone, connection)
            })
    }

    private static func backtestSent(_ setting: Locked<RulesInForce.Setting>) -> Endpoint {
        Endpoint(
            verb: .post, path: "/admin/journeys/{name}/backtest", name: "backtestFiles", tag: .journeys,
            summary: "What the journey of files would have done with the stored events",
            explanation: "It is compared with what the live version did. \(bounded)",
            parameters: [journey, since, listed], body: Shapes.files, answer: Shapes.backtest,
            refusals: [
                404: "There is no such journey in the files.",
                409: "The files have mistakes: `detail` lists them.",
            ],
            work: .patient { inquiry, connection in
                let sent = try SentDefinitions(inquiry, setting.withLock { $0 }).whole()
                return try backtest(
                    inquiry, sent.set.journeys, sent.set.segments, sent.set.scores, sent.zone, connection)
            })
    }

    private static func backtest(
        _ inquiry: Inquiry, _ journeys: [JourneyDefinition], _ segments: [SegmentDefinition],
        _ scores: [ScoreDefinition], _ zone: Zone, _ connection: Connection
    ) throws -> JSONValue {
        guard let journey = journeys.first(where: { $0.name == inquiry.key("name") }) else {
            throw Refusal.missing("journey")
        }
        let now = Clock.system.now()
        let since = inquiry.moment("since") ?? now.adding(seconds: -30 * 86_400)
        var backtest = Backtest(
            journey, segments: segments, scores: scores, zone: zone, since: since, now: now)
        backtest.bounds = Backtest.Bounds(
            until: Clock.system.monotonic() + patience * 1_000_000_000, fires: mostFires)
        let result = try backtest.run(connection)
        return Shapes.backtest(result, since: since, until: now, limit: inquiry.limit)
    }

    // MARK: Webhooks

    private static let webhook = Parameter.path(
        "name", .text(1...256), "the webhook's name", like: "call_centre")
    private static let shape: Parameter = {
        var shape = Parameter.query(
            "shape", .oneOf(WebhookTest.Shape.allCases.map(\.rawValue)),
            "`channel` as after an SMS, `custom` as after any other activity", like: "custom")
        shape.fallback = "custom"
        return shape
    }()

    /// Whoever waits for a test here is answered after so many milliseconds at the latest.
    private static let longestTest = 20_000

    private static func testWebhook(
        _ parts: AdminServer.Parts, _ setting: Locked<RulesInForce.Setting>
    ) -> Endpoint {
        Endpoint(
            verb: .post, path: "/admin/webhooks/{name}/test", name: "testWebhook", tag: .webhooks,
            summary: "Post a signed sample to a webhook, and show what it answers",
            explanation: """
                The applied webhook gets a sample of the real shape, with an id of its own. It has its own time-out, \
                \(longestTest / 1000) s at most. An answer that it calls a success makes it verified.
                """, access: .write, parameters: [webhook, shape], answer: Shapes.webhookTest,
            refusals: [
                404: "There is no such webhook.",
                409: "This server cannot use it: a variable is missing, say.",
            ],
            work: .patient { inquiry, connection in
                guard let status = try WebhookStore.find(inquiry.key("name"), connection),
                    let definition = status.definition
                else { throw Refusal.missing("webhook") }
                let panel = try AppliedDefinitions.panel(connection) ?? setting.withLock { $0.panel }
                let zone = try RulesInForce.read(setting.withLock { $0 }, connection).zone
                let test = try sample(for: definition, inquiry, panel, zone)
                let result = exchange(test.request, parts.send)
                let (isSuccess, verdict) = WebhookTest.verdict(result, definition)
                if isSuccess {
                    try WebhookTest.noteSuccess(of: definition, at: Clock.system.now(), connection)
                }
                return Shapes.webhookTest(test, result, isSuccess, verdict)
            })
    }

    private static func sample(
        for definition: WebhookDefinition, _ inquiry: Inquiry, _ panel: String, _ zone: Zone
    ) throws(Refusal) -> WebhookTest {
        let endpoint: Webhooks.Endpoint
        do throws(Webhooks.Endpoint.Fault) {
            endpoint = try Webhooks.Endpoint(definition)
        } catch {
            throw .conflict("\(error)")
        }
        let shape = inquiry.text("shape").flatMap { WebhookTest.Shape(rawValue: $0) } ?? .custom
        var random = RandomSource()
        return WebhookTest(
            endpoint, panel: panel, zone: zone, shape: shape, at: Clock.system.now(), random: &random)
    }

    /// Waits for the answer, on a queue of those who may wait.
    private static func exchange(
        _ request: OutboundRequest, _ send: AdminServer.Sending
    ) -> Result<OutboundResponse, OutboundError> {
        var request = request
        request.timeout = min(request.timeout, longestTest)
        let answer = Locked<Result<OutboundResponse, OutboundError>?>(nil)
        let done = DispatchSemaphore(value: 0)
        send(request) { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        return answer.withLock { $0 } ?? .failure(OutboundError(kind: .stopped, message: "no answer"))
    }
}
