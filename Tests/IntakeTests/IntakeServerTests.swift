import Dispatch
import Foundations
import Identity
import Payload
import Testing

@testable import Intake

private func configuration(_ change: (inout Configuration) -> Void = { _ in }) -> Configuration {
    var configuration = Configuration()
    configuration.sources = [Source(id: "shop", kinds: [.web]), Source(id: "crm", kinds: [.backend])]
    configuration.debug = true
    change(&configuration)
    return configuration
}

private func payload(_ type: String = "a", session: String = "s", _ more: String = "") -> String {
    #"{"source":{"id":"shop"},"session":{"id":"\#(session)"},"events":[{"type":"\#(type)"}]\#(more)}"#
}

@Test func whatIsAnswered200IsOnDisk() throws {
    let server = try Running(configuration())
    let reply = try server.post("/track", payload("Page View"))
    #expect(reply.status == 200)
    #expect(reply.has("Content-Type: application/json"))
    let kept = try server.kept()
    #expect(kept.activities == ["page-view"])
    #expect(kept.received == 1)
    #expect(kept.tasks.first?.description == reply.text(after: #"{"task":""#))
    #expect(try server.post("/collect/order/crm", "{}").status == 200)
    #expect(try server.kept().activities == ["page-view", "order"])
}

@Test func oneSessionHasOneProfileOnEveryLane() throws {
    let server = try Running(configuration())
    let profiles = try (0..<8).map { _ in
        try server.post("/track", payload()).text(after: #""profile":{"id":""#)
    }
    #expect(Set(profiles).count == 1)
    let profile = try #require(profiles[0].flatMap { UUID($0) })
    #expect(server.installation.issuer?.issued(profile) == true)
    let other = try server.post("/track", payload(session: "t")).text(after: #""profile":{"id":""#)
    #expect(other != profile.description)
    // An issued id is taken over by a session that is not known yet.
    let more = #","profile":{"id":"\#(profile)"}"#
    let moved = try server.post("/track", payload(session: "u", more)).text(after: #""profile":{"id":""#)
    #expect(moved == profile.description)
}

@Test func pipelinedRequestsAreAnsweredInTheirOrder() throws {
    let server = try Running(configuration())
    let client = try Client(server.port)
    let texts = [
        Running.post("/track", payload(session: "new")), "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        Running.post("/track", "{"), Running.post("/track", payload("")), Running.post("/nowhere", ""),
        Running.post("/track", payload()), "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    client.send(texts.joined())
    for status in [200, 200, 400, 422, 404, 200] { #expect(try client.receive().status == status) }
    let kept = try server.kept()
    #expect(kept.received == 3)
    #expect(kept.activities.sorted() == ["", "a", "a"])
}

@Test func badEventsAreKeptBeforeTheir422() throws {
    let server = try Running(configuration())
    let reply = try server.post("/track", payload(" "))
    #expect(reply.status == 422)
    #expect(reply.body.hasPrefix(#"{"detail":[{"type":"blank","loc":["body","events",0,"type"]"#))
    #expect(try server.kept().received == 1)
}

@Test func whatIsRefusedIsNotKeptButCounted() throws {
    let server = try Running(configuration())
    #expect(try server.post("/track", "{").status == 400)
    #expect(try server.post("/track", #"{"source":{"id":"nobody"},"events":[{"type":"a"}]}"#).status == 401)
    #expect(try server.post("/track", #"{"source":{}}"#).status == 422)
    #expect(try server.kept().tasks.isEmpty)
    let refused = Dictionary(
        uniqueKeysWithValues: server.intake.metrics.refused.map { ("\($0.code)", $0.count) })
    #expect(refused == ["not_json": 1, "unauthorized": 1, "invalid": 1])
}

@Test func pagesCanReadAnswersAndErrors() throws {
    let server = try Running(configuration { $0.sources[0].origins = ["https://shop.example"] })
    let origin = "Origin: https://shop.example\r\n"
    for (path, body, status) in [("/track", payload(), 200), ("/track", "{", 400), ("/x", "", 404)] {
        let reply = try server.post(path, body, origin)
        #expect(reply.status == status)
        #expect(reply.has("Access-Control-Allow-Origin: https://shop.example"))
        #expect(reply.has("Vary: Origin"))
    }
    let foreign = try server.post("/track", payload(), "Origin: https://evil.example\r\n")
    #expect(foreign.status == 401)
    #expect(!foreign.head.contains("Access-Control-Allow-Origin"))
    let large = try server.exchange(
        "POST /track HTTP/1.1\r\nHost: a\r\n\(origin)Content-Length: 99999999\r\n\r\n")
    #expect(large.status == 413)
    #expect(large.has("Access-Control-Allow-Origin: https://shop.example"))
    let preflight = try server.exchange(
        "OPTIONS /track HTTP/1.1\r\nHost: a\r\n\(origin)Access-Control-Request-Method: POST\r\n\r\n")
    #expect(preflight.status == 204)
    #expect(preflight.has("Access-Control-Allow-Methods: POST, OPTIONS"))
    let method = try server.exchange("DELETE /track HTTP/1.1\r\nHost: a\r\n\(origin)\r\n")
    #expect(method.status == 405)
    #expect(method.has("Allow: POST, OPTIONS"))
}

@Test func theDebuggersAnswerComesWithTheReceipt() throws {
    let server = try Running(configuration())
    let durable = DispatchSemaphore(value: 0)
    server.spool.onDurable { durable.signal() }
    let client = try Client(server.port)
    client.send(Running.post("/track", payload("Page View", #","options":{"debugger":true}"#)))
    // The loader's part: it finds the task in the spool and tells what became of it.
    durable.wait()
    let task = try #require(try server.kept().tasks.first)
    let (id, profile) = (UUID(high: 1, low: 2), UUID(high: 3, low: 4))
    server.receipts.deliver(
        task: task,
        Receipt(profile: profile, traits: nil, sessionSaved: true, events: [(id, .stored)], warnings: []))
    let reply = try client.receive()
    #expect(reply.status == 200)
    #expect(reply.text(after: #""profile":{"id":""#) == profile.description)
    #expect(reply.body.contains(#""debugging":{"session":{"saved":1,"errors":[],"ids":["s"],"types":[]}"#))
    #expect(reply.body.contains(#""types":["page-view"]"#))
    #expect(reply.body.hasSuffix(#""logs":[{"event":"\#(id)","outcome":"stored"}]}}"#))
}

@Test func anAnswerDoesNotWaitForTheDatabaseForEver() throws {
    let server = try Running(configuration())
    let begin = Clock.system.monotonic()
    let reply = try server.post("/track", payload("a", #","options":{"debugger":true}"#))
    #expect(reply.status == 200)
    #expect(reply.body.contains(#""warnings":["pending"]"#))
    #expect(Clock.system.monotonic() - begin >= 1_900_000_000)
    #expect(server.intake.metrics.pending.total == 1)
}

@Test func withoutTheInstallationsSecretNothingIsTaken() throws {
    let server = try Running(configuration(), isConfirmed: false)
    let reply = try server.post("/track", payload())
    #expect(reply.status == 503)
    #expect(reply.has("Retry-After: 2"))
    #expect(try server.exchange("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n").body == "ready")
    try server.installation.confirm(secret: [UInt8](repeating: 9, count: 32))
    #expect(try server.post("/track", payload()).status == 200)
}

@Test func aFullSpoolIsA503AndLosesNothing() throws {
    let server = try Running(configuration(), capacity: 1 << 20)
    let large = #","context":{"x":"\#(String(repeating: "x", count: 20_000))"}"#
    var answered = 0
    var last = 0
    for i in 0..<200 where last != 503 {
        let reply = try server.post("/track", payload(session: "s\(i)", large))
        last = reply.status
        if last == 200 { answered += 1 } else { #expect(reply.head.contains("Retry-After: ")) }
    }
    #expect(last == 503)
    #expect(answered > 10)
    #expect(try server.kept().tasks.count == answered)
}

@Test func aReloadChangesWhoMaySend() throws {
    let server = try Running(configuration())
    let client = try Client(server.port)
    let late = #"{"source":{"id":"late"},"events":[{"type":"a"}]}"#
    client.send(Running.post("/track", late))
    #expect(try client.receive().status == 401)
    server.intake.update(
        configuration {
            $0.sources = [Source(id: "late", kinds: [.web])]
            $0.limits.body = 100
        })
    client.send(Running.post("/track", late))
    #expect(try client.receive().status == 200)
    client.send(Running.post("/track", payload()))
    #expect(try client.receive().status == 401)
    client.send(Running.post("/track", payload(session: String(repeating: "s", count: 100))))
    #expect(try client.receive().status == 413)
}

@Test func ratesHoldOverAllLanes() throws {
    let server = try Running(
        configuration { $0.sources[0].rate = Rate(count: 3, microseconds: 60_000_000) })
    let replies = try (0..<6).map { _ in try server.post("/track", payload()) }
    #expect(replies.map(\.status) == [200, 200, 200, 429, 429, 429])
    #expect(replies[3].head.contains("Retry-After: 20\r\n"))
    #expect(try server.post("/collect/a/crm", "{}").status == 200)
    let byAddress = try Running(
        configuration { $0.limits.addressRate = Rate(count: 2, microseconds: 60_000_000) })
    #expect(try (0..<3).map { _ in try byAddress.post("/track", payload()).status } == [200, 200, 429])
    #expect(try byAddress.exchange("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").status == 200)
}

@Test func aRepeatIsMarkedOnEveryLane() throws {
    let server = try Running(configuration())
    let body = #"{"source":{"id":"shop"},"events":[{"type":"a","id":"once"}]}"#
    #expect(try server.post("/track", body).body.hasSuffix(#""warnings":[]}"#))
    for _ in 0..<4 { #expect(try server.post("/track", body).body.hasSuffix(#""warnings":["duplicate"]}"#)) }
}

@Test func nothingIsLostUnderLoad() throws {
    let server = try Running(configuration())
    let port = server.port
    let answered = Counter()
    DispatchQueue.concurrentPerform(iterations: 8) { worker in
        guard let client = try? Client(port) else { return }
        for round in 0..<25 {
            let texts = (0..<20).map { i in
                Running.post("/track", payload("w\(worker)", session: "s\(worker)-\(round)-\(i % 3)"))
            }
            client.send(texts.joined())
            for _ in texts where (try? client.receive().status) == 200 { answered.add() }
        }
    }
    #expect(answered.total == 4000)
    let kept = try server.kept()
    #expect(kept.received == 4000)
    #expect(kept.tasks.count == 4000)
    #expect(Set(kept.tasks).count == 4000)
    #expect(server.intake.metrics.inFlight.current == 0)
}
