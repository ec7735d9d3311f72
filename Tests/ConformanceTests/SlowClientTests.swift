import TestSupport
import Testing

/// Clients that hold on to a connection: cut off, reaped, capped (contract, section 7).
///
/// The server of this suite has short deadlines. Waiting for one to pass is what is tested, so these tests wait,
/// but on the socket, never blindly.
@Suite(.serialized) struct SlowClientTests {
    private static let shared = Result {
        var options = try ServerOptions(sources: World.sources, database: World.database.get().conninfo)
        options.limits = [
            "head_timeout: 1s", "body_timeout: 8s", "idle_timeout: 1500ms", "minimum_rate: 2000",
            "connections: 60",
            "memory: 8MiB",
        ]
        return try Server.ready(options)
    }
    let server: Server
    init() throws { server = try Self.shared.get() }

    @Test func aHeadThatIsNeverFinishedIsCutOff() throws {
        let client = try Client(server.address)
        let begin = Moment.now
        try client.send("POST /track HTTP/1.1\r\nHost: a\r\n")
        let answer = try client.receive()
        try expectError(answer, 408)
        #expect(client.isClosed())
        #expect(Moment.now - begin < 9)
    }

    @Test func aHeadThatDripsIsCutOffAllTheSame() throws {
        let client = try Client(server.address)
        let begin = Moment.now
        try client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n")
        while !client.isClosed(within: 0.1), Moment.now - begin < 20 { try client.send("X-A: b\r\n") }
        #expect(Moment.now - begin < 9)
    }

    @Test func aBodyThatComesTooSlowlyIsCutOff() throws {
        let client = try Client(server.address)
        let begin = Moment.now
        try client.send("POST /track HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        while !client.isClosed(within: 0.1), Moment.now - begin < 29 { try client.send("x") }
        #expect(Moment.now - begin < 25)
    }

    @Test func anIdleConnectionIsReaped() throws {
        let client = try Client(server.address)
        let begin = Moment.now
        #expect(try client.exchange(Request("GET", "/healthz")).status == 200)
        #expect(client.isClosed())
        #expect(Moment.now - begin > 1)
    }

    @Test func aClientThatReadsNothingIsBounded() throws {
        let client = try Client(server.address, patience: 3)
        let one = Request("GET", "/metrics").bytes
        let before = server.residentMemory
        // Far more answers than any buffer holds: at some point the server stops reading, and then so do we.
        try? client.send((0..<20_000).flatMap { _ in one })
        #expect(server.residentMemory < before + 64 << 20)
        #expect(try server.get("/healthz").status == 200)
    }

    @Test func connectionsOverTheCapGetACleanRefusal() throws {
        var clients: [Client] = []
        var refused: Response?
        for _ in 0..<600 {
            let client = try Client(server.address)
            try client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = try client.receive(to: "GET")
            if answer.status == 503 {
                refused = answer
                #expect(client.isClosed())
                break
            }
            clients.append(client)
        }
        let answer = try #require(refused)
        try expectError(answer, 503)
        #expect(answer.header("Retry-After") != nil)
        clients.removeAll()
        try eventually("there is room again") { try server.get("/healthz").status == 200 }
    }

    @Test func bodiesOverTheMemoryBudgetAreRefusedAndTheOthersGoOn() throws {
        // Each holds most of 4 MiB of body; the budget is 8 MiB.
        var clients: [Client] = []
        var statuses: [Int] = []
        let half = [UInt8](repeating: 0x20, count: 3_900_000)
        for _ in 0..<6 {
            let client = try Client(server.address, patience: 1)
            try client.send("POST /track HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n")
            try? client.send(half)
            if let answer = try? client.receive() { statuses.append(answer.status) }
            clients.append(client)
        }
        #expect(!statuses.isEmpty && statuses.allSatisfy { $0 == 503 }, "\(statuses)")
        clients.removeAll()
        try eventually("bodies are taken again") {
            try server.post("/track", #"{"source":{"id":"shop-web"},"events":[{"type":"a"}]}"#).status == 200
        }
    }

    @Test func manyIdleConnectionsDoNotDelayTheOthers() throws {
        let idle = try (0..<40).map { _ in try Client(server.address) }
        for _ in 0..<20 { #expect(try server.get("/healthz").status == 200) }
        #expect(idle.count == 40)
        for client in idle { #expect(client.isClosed()) }
    }
}
