import Dispatch
import Foundations
import Glibc
import HTTP
import Testing

/// The head of a request with four bytes, too long for the few bytes that every buffer has.
private let half =
    "POST /echo HTTP/1.1\r\nHost: a\r\nUser-Agent: \(String(repeating: "x", count: 100))\r\nContent-Length: 4\r\n\r\n"

/// Slow, rude, numerous and vanishing clients; and the end of the server.
@Suite struct EnduranceTests {
    @Test(arguments: [
        "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: ", "GET / HTTP/1.1\r\nHost: a\r\n",
    ])
    func aHeadThatNeverEndsIsCutOff(_ start: String) throws {
        let server = try TestServer { $0.headTimeout = 200_000 }
        let client = try server.client()
        client.send(start)
        #expect(client.answer()?.status == 408)
        client.finish()
        #expect(client.isClosed)
        #expect(server.server.metrics.connectionsTimedOut.total == 1)
    }

    @Test func drippingAHeadDoesNotMoveItsDeadline() throws {
        let clock = ManualClock()
        let server = try TestServer(clock: clock)
        let client = try server.client()
        var sent = client.send("GET / HTTP/1.1\r\nHost: a\r\nX: ")
        for _ in 0..<12 {
            sent += client.send("a")
            server.waitUntil("the byte is read") { server.server.metrics.bytesReceived.total >= sent }
            clock.advance(seconds: 1)
        }
        #expect(client.answer()?.status == 408)
    }

    /// Empty lines before a request are tolerated, also when they come in pieces (RFC 9112, 2.2).
    @Test(arguments: [["\r", "\n"], ["\r\n\r", "\n\r", "\n"], ["\r\n", "\r", "\n\r\n"]])
    func emptyLinesInPiecesAreForgotten(_ pieces: [String]) throws {
        let server = try TestServer()
        let client = try server.client()
        var sent = 0
        for piece in pieces {
            sent += client.send(piece)
            server.waitUntil("the piece is read") { server.server.metrics.bytesReceived.total >= sent }
        }
        client.send("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.answer()?.status == 200)
    }

    @Test(arguments: ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"])
    func aBodyThatNeverEndsIsCutOff(_ rest: String) throws {
        let server = try TestServer { $0.bodyTimeout = 200_000 }
        let client = try server.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nOrigin: https://a\r\n\(rest)")
        let answer = try #require(client.answer())
        #expect(answer.status == 408)
        #expect(answer.fields["access-control-allow-origin"] == "https://a")
    }

    @Test func aBodyMustComeAtAMinimumRate() throws {
        let clock = ManualClock()
        let server = try TestServer(clock: clock) { $0.bodyTimeout = 1_000_000_000 }
        let slow = try server.client()
        let fast = try server.client()
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n"
        slow.send(head + "abc")
        fast.send(head + String(repeating: "a", count: 19_999))
        server.waitUntil("both are read") {
            server.server.metrics.bytesReceived.total > 20_000 + head.utf8.count
        }
        clock.advance(seconds: 10)
        #expect(slow.answer()?.status == 408)
        fast.send("a")
        #expect(fast.answer()?.status == 200)
    }

    @Test func anIdleConnectionIsReapedAndOneThatWaitsForAnAnswerIsNot() throws {
        let server = try TestServer { $0.idleTimeout = 200_000 }
        let idle = try server.client()
        let waiting = try server.client()
        waiting.get("/hold")
        server.waitUntil("the request is held") { server.held == 1 }
        idle.get("/echo")
        #expect(idle.answer()?.status == 200)
        #expect(idle.isClosed)
        server.release()
        #expect(waiting.answer()?.status == 200)
        #expect(waiting.isClosed)
    }

    @Test func whatAReaderDoesNotTakeIsBounded() throws {
        let server = try TestServer()
        let client = try server.client()
        var small: Int32 = 4096
        setsockopt(client.socket, SOL_SOCKET, SO_RCVBUF, &small, 4)
        let request = Array("GET /big/100000 HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        var sent = 0
        // Until the kernel takes no more: the server has stopped reading.
        while sent < 200_000, client.send(request, flags: Int32(MSG_DONTWAIT)) == request.count { sent += 1 }
        let answered = server.server.metrics.requests.reduce(0) { $0 + $1.count }
        #expect(answered < 200)
        #expect(server.server.metrics.bufferedBytes.current < 8 << 20)
        let other = try server.client()
        other.get("/echo")
        #expect(other.answer()?.status == 200)
    }

    @Test func aReaderThatComesBackGetsEverything() throws {
        let server = try TestServer()
        let client = try server.client()
        client.send((0..<300).map { _ in "GET /big/50000 HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
        for _ in 0..<300 { #expect(client.answer()?.body.utf8.count == 50_000) }
        server.waitUntil("buffers are given back") { server.server.metrics.bufferedBytes.current == 0 }
    }

    @Test func onlySoManyRequestsOfOneConnectionAreTaken() throws {
        let server = try TestServer()
        let client = try server.client()
        client.send((0..<200).map { _ in "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
        var answered = 0
        while answered < 200 {
            let expected = min(64, 200 - answered)
            server.waitUntil("\(expected) are held") { server.held == expected }
            server.release()
            for _ in 0..<expected { #expect(client.answer()?.status == 200) }
            answered += expected
        }
    }

    @Test func halfAClientStillGetsItsAnswers() throws {
        let server = try TestServer()
        let client = try server.client()
        client.send((0..<100).map { "GET /soon?\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined() + "GET /cut")
        client.finish()
        for i in 0..<100 { #expect(client.answer()?.body == "\(i)") }
        #expect(client.isClosed)
    }

    @Test(arguments: [
        "", "G", "GET / HTTP/1.1\r\nHost: a\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n", "GET /late HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /big/9000000 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /hold HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP",
        "nonsense\r\n",
    ])
    func aClientMayLeaveAtAnyTime(_ start: String) throws {
        let server = try TestServer()
        for isReset in [false, true] {
            for _ in 0..<20 {
                let client = try server.client()
                client.send(start)
                if isReset { client.reset() }
            }
        }
        if start.contains("/hold") {
            // Answers for whoever is gone go nowhere.
            server.waitUntil("all connections are gone") {
                server.release()
                return server.server.metrics.connections.current == 0
            }
        }
        server.waitUntil("all connections are gone") { server.server.metrics.connections.current == 0 }
        server.waitUntil("all memory is given back") { server.server.metrics.bufferedBytes.current == 0 }
        let client = try server.client()
        client.get("/echo")
        #expect(client.answer()?.status == 200)
    }

    @Test func tooManyConnectionsAreToldSo() throws {
        let server = try TestServer { $0.connections = 3 }
        var clients: [Client] = []
        for _ in 0..<3 {
            let client = try server.client()
            client.get("/echo")
            #expect(client.answer()?.status == 200)
            clients.append(client)
        }
        let fourth = try server.client()
        fourth.get("/echo")
        let answer = try #require(fourth.answer())
        #expect(answer.status == 503)
        #expect(answer.fields["retry-after"] != nil)
        fourth.finish()
        #expect(fourth.isClosed)
        #expect(server.server.metrics.connectionsRefused.total == 1)
        clients.removeAll()
        server.waitUntil("there is room again") { server.server.metrics.connections.current == 0 }
        let next = try server.client()
        next.get("/echo")
        #expect(next.answer()?.status == 200)
    }

    @Test func bodiesTogetherAreBounded() throws {
        let server = try TestServer { $0.memory = 1 << 20 }
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 600000\r\n\r\n"
        var clients: [Client] = []
        for _ in 0..<8 {
            let client = try server.client()
            client.send(head)
            client.send([UInt8](repeating: 97, count: 599_999))
            clients.append(client)
        }
        for client in clients { client.send("a") }
        let answers = clients.compactMap { $0.answer()?.status }
        #expect(answers.count == 8)
        #expect(answers.contains(503))
        #expect(server.server.metrics.bufferedBytes.current <= 1 << 20)
        clients.removeAll()
        server.waitUntil("all memory is given back") { server.server.metrics.bufferedBytes.current == 0 }
    }

    @Test func readersThatTakeNothingAreGivenUpWhenTheyHoardTooMuch() throws {
        let server = try TestServer { $0.memory = 4 << 20 }
        var clients: [Client] = []
        for _ in 0..<20 {
            let client = try server.client()
            client.get("/big/9000000")
            clients.append(client)
        }
        server.waitUntil("they are given up") { server.server.metrics.connectionsTimedOut.total == 20 }
        server.waitUntil("all memory is given back") { server.server.metrics.bufferedBytes.current == 0 }
        clients.removeAll()
    }

    @Test func aThousandIdleConnectionsHoldNoBuffers() throws {
        let server = try TestServer { $0.headTimeout = 60_000_000 }
        let clients = try (0..<1000).map { _ in try server.client() }
        for client in clients { client.send("\(half)ab") }
        server.waitUntil("all halves are kept") { server.server.metrics.bufferedBytes.current >= 1000 * 64 }
        for client in clients { client.send("cd") }
        for client in clients { #expect(client.answer()?.status == 200) }
        withExtendedLifetime(clients) { #expect(server.server.metrics.connections.current == 1000) }
        server.waitUntil("buffers are given back") { server.server.metrics.bufferedBytes.current == 0 }
    }

    @Test func aDrainFinishesWhatIsInFlight() async throws {
        let server = try TestServer()
        let idle = try server.client()
        idle.get("/echo")
        #expect(idle.answer()?.status == 200)
        let waiting = try server.client()
        waiting.get("/hold")
        server.waitUntil("the request is held") { server.held == 1 }
        let sending = try server.client()
        sending.send("\(half)ab")
        server.waitUntil("half a request is here") { server.server.metrics.bufferedBytes.current > 0 }

        let isDone = Locked(false)
        server.server.drain(within: 60) { isDone.withLock { $0 = true } }
        #expect(idle.isClosed)
        #expect(throws: SystemError.self) { try server.client() }
        #expect(!isDone.withLock { $0 })
        sending.send("cd")
        #expect(sending.answer()?.fields["connection"] == "close")
        server.release()
        #expect(waiting.answer()?.fields["connection"] == "close")
        #expect(waiting.isClosed)
        server.waitUntil("the drain is over") { isDone.withLock { $0 } }
    }

    @Test func aDrainEndsAtItsDeadline() throws {
        let server = try TestServer()
        let waiting = try server.client()
        waiting.get("/hold")
        server.waitUntil("the request is held") { server.held == 1 }
        let isDone = Locked(false)
        server.server.drain(within: 1) { isDone.withLock { $0 = true } }
        #expect(waiting.isClosed)
        server.waitUntil("the drain is over") { isDone.withLock { $0 } }
        server.release()
    }

    @Test func changedLimitsTakeEffect() throws {
        let server = try TestServer()
        let client = try server.client()
        client.get("/echo")
        #expect(client.answer()?.status == 200)
        var limits = Limits()
        limits.body = 2
        server.server.update(limits)
        server.waitUntil("the lanes have come to it") { server.held == 0 }
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
        #expect(client.answer()?.status == 413)
    }

    @Test func theLanesShareConnectionsAndTheirTimeNeverGoesBack() throws {
        let clock = ManualClock()
        let server = try TestServer(lanes: 3, clock: clock)
        let clients = try (0..<9).map { _ in try server.client() }
        for client in clients { client.get("/echo") }
        for client in clients { #expect(client.answer()?.fields["date"] == "Fri, 15 Jan 2027 08:16:40 GMT") }
    }
}
