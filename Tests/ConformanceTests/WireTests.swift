import Foundation
import TestSupport
import Testing

/// HTTP/1.1 done right: what a correct client may do (contract, section 7).
@Suite struct WireTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    private func payload(_ marker: String) -> String {
        #"{"source":{"id":"shop-web"},"events":[{"type":"a","properties":{"m":"\#(marker)"}}]}"#
    }

    private func request(_ marker: String, _ more: String = "") -> [UInt8] {
        let body = payload(marker)
        return Array(
            "POST /track HTTP/1.1\r\nHost: a\r\n\(more)Content-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8
        )
    }

    private func chunked(_ chunks: [String], extensions: String = "", trailer: String = "") -> [UInt8] {
        let parts = chunks.map { "\(String($0.utf8.count, radix: 16))\(extensions)\r\n\($0)\r\n" }.joined()
        return Array(
            "POST /track HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(parts)0\r\n\(trailer)\r\n"
                .utf8)
    }

    @Test func aConnectionIsKeptAlive() throws {
        let client = try Client(shop.server.address)
        for _ in 0..<5 {
            let marker = unique("m")
            try client.send(request(marker))
            #expect(try client.receive().status == 200)
            _ = try shop.event(marker)
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() throws {
        let client = try Client(shop.server.address)
        let sessions = (0..<100).map { _ in unique("s") }
        let bytes = sessions.enumerated().flatMap { i, session in
            // Every third waits for the database, every seventh is wrong: neither may overtake the others.
            let options = i % 3 == 0 ? #","options":{"debugger":true}"# : ""
            let events = i % 7 == 6 ? "5" : #"[{"type":"a"}]"#
            let body =
                #"{"source":{"id":"shop-web"},"session":{"id":"\#(session)"}\#(options),"events":\#(events)}"#
            return Request("POST", "/track", body: Array(body.utf8)).bytes
        }
        try client.send(bytes)
        for (i, session) in sessions.enumerated() {
            let answer = try client.receive()
            #expect(answer.status == (i % 7 == 6 ? 422 : 200))
            if answer.status == 200 { #expect(try answer.json()["session", "id"] == .string(session)) }
        }
    }

    @Test func aThousandPipelinedRequestsWithoutReadingAreAllAnswered() throws {
        let client = try Client(shop.server.address, patience: 30)
        let one = Request("POST", "/track", body: Array(#"{"source":{"id":"shop-web"},"events":[]}"#.utf8))
            .bytes
        try client.send((0..<1000).flatMap { _ in one })
        for _ in 0..<1000 { #expect(try client.receive().status == 200) }
    }

    @Test func aRequestMayBeSplitAtEveryByte() throws {
        let client = try Client(shop.server.address)
        let marker = unique("m")
        for whole in [request(marker), chunked([payload(marker)])] {
            for cut in stride(from: 1, to: whole.count, by: 7) {
                try client.send(pieces: [Array(whole[..<cut]), Array(whole[cut...])], every: 0.0005)
                #expect(try client.receive().status == 200, "cut at \(cut)")
            }
        }
    }

    @Test func aRequestMayComeByteByByte() throws {
        let client = try Client(shop.server.address)
        for whole in [request(unique("m")), chunked(["{\"source\":", "{\"id\":\"shop-web\"}}"])] {
            try client.send(pieces: whole.map { [$0] }, every: 0.0001)
            #expect(try client.receive().status == 200)
        }
    }

    @Test func chunkedBodiesAreRead() throws {
        let client = try Client(shop.server.address)
        let (a, b) = (unique("m"), unique("m"))
        try client.send(chunked(payload(a).map(String.init)))
        #expect(try client.receive().status == 200)
        try client.send(
            chunked([payload(b)], extensions: ";name=\"va;lue\"", trailer: "X-Sum: 1\r\nX-Other: 2\r\n"))
        #expect(try client.receive().status == 200)
        _ = try (shop.event(a), shop.event(b))
    }

    @Test func expectContinueIsAnswered() throws {
        let client = try Client(shop.server.address)
        let marker = unique("m")
        let body = payload(marker)
        try client.send(
            "POST /track HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        )
        #expect(try client.receive(interim: true).status == 100)
        try client.send(body)
        #expect(try client.receive().status == 200)
        _ = try shop.event(marker)
    }

    @Test func expectContinueOfATooLargeBodyIsRefusedAtOnce() throws {
        let client = try Client(shop.server.address)
        try client.send(
            "POST /track HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")
        #expect(try client.receive(interim: true).status == 413)
    }

    @Test func anotherExpectationIsA417() throws {
        let client = try Client(shop.server.address)
        try client.send("POST /track HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nContent-Length: 0\r\n\r\n")
        try expectError(client.receive(), 417)
    }

    @Test func closeIsHonoured() throws {
        let client = try Client(shop.server.address)
        try client.send(request(unique("m"), "Connection: close\r\n"))
        let answer = try client.receive()
        #expect(answer.status == 200)
        #expect(answer.header("Connection")?.lowercased() == "close")
        #expect(client.isClosed())
    }

    @Test func http10IsAnsweredAndClosed() throws {
        let client = try Client(shop.server.address)
        try client.send("GET /healthz HTTP/1.0\r\n\r\n")
        #expect(try client.receive().status == 200)
        #expect(client.isClosed())
    }

    @Test func aClientThatStopsSendingStillGetsItsAnswer() throws {
        let client = try Client(shop.server.address)
        try client.send(request(unique("m")))
        client.endSending()
        #expect(try client.receive().status == 200)
        #expect(client.isClosed())
    }

    @Test func aClientThatGoesAwayCostsNothing() throws {
        for cut in [1, 10, 60, 100] {
            let client = try Client(shop.server.address)
            try client.send(Array(request(unique("gone")).prefix(cut)))
        }
        let marker = unique("m")
        do {
            let client = try Client(shop.server.address)
            try client.send(request(marker))
        }
        _ = try shop.event(marker)
        #expect(try shop.server.get("/healthz").status == 200)
    }

    @Test(arguments: [
        "host: a\r\n", "HOST:a\r\n", "Host: \ta \t\r\n", "Host: [::1]:8686\r\n", "Host:\r\n",
    ])
    func headersAreReadInAnyCaseAndSpacing(_ host: String) throws {
        let client = try Client(shop.server.address)
        try client.send("GET /healthz HTTP/1.1\r\n\(host)X-Empty:\r\n\r\n")
        #expect(try client.receive(to: "GET").status == 200)
    }

    @Test func anEmptyLineBeforeARequestIsSkipped() throws {
        let client = try Client(shop.server.address)
        try client.send(
            "\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in 0..<2 { #expect(try client.receive(to: "GET").status == 200) }
    }

    @Test func idleConnectionsHoldNoBuffers() throws {
        let server = try Server.ready(ServerOptions(sources: World.sources, database: shop.database.conninfo))
        _ = try server.get("/healthz")
        let before = server.residentMemory
        var clients: [Client] = []
        for _ in 0..<800 {
            let client = try Client(server.address)
            #expect(try client.exchange(Request("GET", "/healthz")).status == 200)
            clients.append(client)
        }
        let each = (server.residentMemory - before) / clients.count
        #expect(each < 6000, "\(each) bytes for each idle connection")
        #expect(try server.metric("waymark_connections") ?? 0 > 800)
    }

    @Test func everyListenerServes() throws {
        var options = ServerOptions(sources: World.sources, database: shop.database.conninfo)
        let path = Scratch.shared.newPath("socket")
        options.listen = ["127.0.0.1:0", "[::1]:0", "unix:\(path)"]
        let server = try Server(options)
        do { try server.start() } catch  where !FileManager.default.fileExists(atPath: "/proc/net/if_inet6") {
            return
        }
        try eventually("all three listen") { server.addresses.count == 3 }
        try server.awaitReady()
        for address in server.addresses {
            let marker = unique("m")
            let client = try Client(address)
            try client.send(request(marker))
            #expect(try client.receive().status == 200, "\(address)")
            _ = try shop.event(marker)
        }
        #expect(server.terminate() == .code(0))
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
