import Foundations
import Glibc
import HTTP
import Testing

/// More clients than there may be connections: who has to go, who stays, and what is said to those outside.
@Suite struct CrowdTests {
    let clock = ManualClock()

    private func server() throws -> TestServer {
        try TestServer(lanes: 1, clock: clock) { $0.connections = 3 }
    }

    private func silent(_ server: TestServer, sending start: String = "") throws -> [Client] {
        let clients = try (0..<3).map { _ in try server.client() }
        var sent = 0
        for client in clients { sent += client.send(start) }
        server.waitUntil("they are connected") {
            server.server.metrics.connections.current == 3
                && server.server.metrics.bytesReceived.total >= sent
        }
        return clients
    }

    private func status(_ server: TestServer) throws -> Int? {
        let client = try server.client()
        client.get("/echo")
        return client.answer()?.status
    }

    @Test(arguments: ["", "GET / HT", "GET / HTTP/1.1\r\nHost: a\r\n"])
    func whoSaysNothingMakesWay(_ start: String) throws {
        let server = try server()
        let clients = try silent(server, sending: start)
        clock.advance(seconds: 2)
        #expect(try status(server) == 200)
        #expect(server.server.metrics.connectionsDisplaced.total == 1)
        #expect(server.server.metrics.connectionsRefused.total == 0)
        #expect(clients.count == 3)
    }

    @Test func whoHasJustComeStays() throws {
        let server = try server()
        let clients = try silent(server)
        #expect(try status(server) == 503)
        for client in clients {
            client.get("/echo")
            #expect(client.answer()?.status == 200)
        }
    }

    @Test func whoWasServedStaysLonger() throws {
        let server = try server()
        let clients = try silent(server)
        for client in clients {
            client.get("/echo")
            #expect(client.answer()?.status == 200)
        }
        clock.advance(seconds: 5)
        #expect(try status(server) == 503)
        clock.advance(seconds: 6)
        #expect(try status(server) == 200)
        #expect(server.server.metrics.connectionsDisplaced.total >= 1)
        #expect(clients.count == 3)  // and so they stay open until here
    }

    @Test func whoSendsABodyOrWaitsForAnAnswerStays() throws {
        let server = try server()
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
        var clients = try silent(server, sending: head + "abcd")
        clock.advance(seconds: 4)
        #expect(try status(server) == 503)
        for client in clients { client.send("e") }
        for client in clients { #expect(client.answer()?.status == 200) }
        for client in clients { client.get("/hold") }
        server.waitUntil("they wait") { server.held == 3 }
        clock.advance(seconds: 60)
        #expect(try status(server) == 503)
        server.release()
        for client in clients { #expect(client.answer()?.status == 200) }
        clients.removeAll()
    }

    /// What the lanes cannot look after any more is told as well.
    @Test func aCrowdOutsideIsToldToComeLater() throws {
        let server = try server()
        let inside = try silent(server)
        let outside = try (0..<400).map { _ in try server.client() }
        for client in outside {
            let answer = try #require(client.answer())
            #expect(answer.status == 503)
            #expect(answer.fields["retry-after"] != nil && answer.fields["x-request-id"] != nil)
            #expect(answer.body.hasPrefix("{\"detail\":"))
        }
        #expect(server.server.metrics.connectionsRefused.total == 400)
        #expect(server.server.metrics.connections.current <= 3 + 256)
        #expect(inside.count == 3)
    }
}
