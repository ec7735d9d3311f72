import Foundation
import TestSupport
import Testing

/// What a client can do to harm: each attack has its outcome, costs no memory, and meanwhile the others are served.
///
/// docs/hostile-clients.md lists them; `Scripts/hostile` does the same at full size and measures.
@Suite(.serialized) struct HostileClientTests {
    private static let shared = Result {
        var options = try ServerOptions(sources: World.sources, database: World.database.get().conninfo)
        options.limits = ["connections: 100"]
        return try Server.ready(options)
    }
    private static let event = #"{"source":{"id":"shop-web"},"events":[{"type":"a","properties":{}}]}"#
    private static let post = "POST /track HTTP/1.1\r\nHost: a\r\n"
    let server: Server
    init() throws { server = try Self.shared.get() }

    private final class Flag: @unchecked Sendable {  // `isSet` is owned by whoever holds `lock`
        private let lock = NSLock()
        private var isSet = false
        func set() { lock.withLock { isSet = true } }
        var value: Bool { lock.withLock { isSet } }
    }

    /// Attacks, while an honest client goes on sending; everything it sends must be taken, and what the server holds
    /// in memory must not grow by more than it may hold for requests (32 MiB) and what an allocator keeps of it.
    private func under(
        _ attack: @escaping @Sendable (Server) throws -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let server = self.server
        #expect(try server.post("/track", Self.event).status == 200)
        let before = server.residentMemory
        let (isServed, isOver) = (Flag(), Flag())
        let (statuses, _) = try together {
            let honest = try Client(server.address, patience: 30)
            var statuses: [Int] = []
            repeat {
                let body = Array(Self.event.utf8)
                statuses.append(try honest.exchange(Request("POST", "/track", body: body)).status)
                isServed.set()
            } while !isOver.value
            return statuses
        } _: {
            defer { isOver.set() }
            try eventually("somebody is served") { isServed.value }
            try attack(server)
        }
        let grown = (server.residentMemory - before) >> 20
        #expect(statuses.allSatisfy { $0 == 200 }, sourceLocation: sourceLocation)
        #expect(grown < 64, "\(grown) MiB more", sourceLocation: sourceLocation)
        try eventually("all connections are gone") { try server.metric("waymark_connections") ?? 99 <= 2 }
        try eventually("all memory is given back") { try server.metric("waymark_buffered_bytes") == 0 }
        #expect(try server.post("/track", Self.event).status == 200, sourceLocation: sourceLocation)
    }

    /// Sends a request again and again, each over a connection of its own.
    private static func send(
        _ request: [UInt8], times: Int, to server: Server, expecting status: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for _ in 0..<times {
            let client = try Client(server.address, patience: 30)
            try client.send(request)
            let answer = try client.receive()
            #expect(answer.status == status, sourceLocation: sourceLocation)
        }
    }

    @Test func bombsInBombs() throws {
        let flat = try deflated([UInt8](repeating: 0x20, count: 32 << 20), .gzip, level: 9)
        let nested = try deflated(flat, .gzip, level: 9)
        try under { server in
            for (body, coding, status) in [
                (flat, "gzip", 413), (nested, "gzip", 400), (nested, "gzip, gzip", 415),
            ] {
                let request = Request("POST", "/track", [("Content-Encoding", coding)], body: body)
                try Self.send(request.bytes, times: 3, to: server, expecting: status)
            }
        }
    }

    @Test func aGigabyteInChunks() throws {
        try under { server in
            let chunk = Array("100000\r\n".utf8) + [UInt8](repeating: 0x20, count: 1 << 20) + [13, 10]
            for _ in 0..<3 {
                let client = try Client(server.address, patience: 30)
                try client.send(Self.post + "Transfer-Encoding: chunked\r\n\r\n")
                // Refused long before its end; what is still sent is thrown away, or breaks the connection.
                for _ in 0..<1024 where !client.isClosed(within: 0) { try client.send(chunk) }
                if let answer = try? client.receive() { try expectError(answer, 413) }
            }
        }
    }

    @Test func gigabytesThatAreOnlyAnnounced() throws {
        try under { server in
            let head = Self.post + "Content-Length: 1073741824\r\n\r\n"
            try Self.send(Array(head.utf8), times: 50, to: server, expecting: 413)
        }
    }

    @Test func headsWithoutAnEnd() throws {
        try under { server in
            let fields = (0..<20_000).map { "X-\($0): a\r\n" }.joined()
            let long = "X-A: " + String(repeating: "a", count: 1 << 20)
            for flood in [fields, long] {
                try Self.send(Array((Self.post + flood).utf8), times: 20, to: server, expecting: 431)
            }
        }
    }

    /// As many keys as a body can hold, each another one or all the same.
    @Test(arguments: [true, false]) func objectsOfManyKeys(_ areEqual: Bool) throws {
        let members = (0..<200_000).map { areEqual ? #""k":\#($0)"# : #""k\#($0)":\#($0)"# }
        let body =
            #"{"source":{"id":"shop-web"},"events":[{"type":"many","id":"\#(unique())","properties":{"#
            + members.joined(separator: ",") + "}}]}"
        try under { server in
            let request = Request("POST", "/track", body: Array(body.utf8))
            try Self.send(request.bytes, times: 2, to: server, expecting: 200)
        }
    }

    @Test func bracketsByTheMillion() throws {
        let deep = String(repeating: "[", count: 2_000_000) + String(repeating: "]", count: 2_000_000)
        let body = #"{"source":{"id":"shop-web"},"events":[{"type":"a","properties":{"v":\#(deep)}}]}"#
        try under { server in
            let request = Request("POST", "/track", body: Array(body.utf8))
            try Self.send(request.bytes, times: 2, to: server, expecting: 422)
        }
    }

    /// Requests without end, and not an answer read: at some point nothing more is taken of them. Whoever then
    /// reads gets every answer, in order.
    @Test func answersThatNobodyReads() throws {
        try under { server in
            let request = Array(Request("GET", "/metrics").bytes)
            let requests = Array((0..<2000).map { _ in request }.joined())
            let clients = try (0..<4).map { _ in try Client(server.address, patience: 30) }
            var sent = clients.map { _ in 0 }
            var isStuck = false
            while !isStuck {
                isStuck = true
                for (i, client) in clients.enumerated() {
                    let count = client.offer(requests[sent[i]...])
                    sent[i] += count
                    if count > 0 { isStuck = false }
                }
                pause(0.02)
            }
            for _ in 0..<(sent[0] / request.count) {
                let answer = try clients[0].receive(to: "GET")
                #expect(answer.status == 200)
            }
        }
    }

    @Test func socketsThatAreHalfClosed() throws {
        try under { server in
            for start in ["", "POST", Self.post, Self.post + "Content-Length: 5\r\n\r\nabc"] {
                let clients = try (0..<50).map { _ in try Client(server.address) }
                for client in clients {
                    try client.send(start)
                    client.endSending()
                }
                for client in clients { #expect(client.isClosed(within: 10)) }
            }
            // A whole request before the end is answered.
            let client = try Client(server.address)
            try client.send(Request("POST", "/track", body: Array(Self.event.utf8)).bytes)
            client.endSending()
            let answer = try client.receive()
            #expect(answer.status == 200)
            #expect(client.isClosed(within: 10))
        }
    }

    @Test func connectionsThatAreReset() throws {
        try under { server in
            let whole = Request("POST", "/track", body: Array(Self.event.utf8)).bytes
            for cut in [0, 10, whole.count - 1, whole.count] {
                for _ in 0..<50 {
                    let client = try Client(server.address)
                    try client.send(Array(whole.prefix(cut)))
                    client.reset()
                }
            }
        }
    }

    /// Far more connections than there may be, from many addresses: those that came first and are served stay so.
    @Test func aCrowdThatSaysNothing() throws {
        try under { server in
            var crowd: [Client] = []
            for n in 0..<600 {
                crowd.append(try Client(server.address, from: "127.\(1 + n % 200).0.9"))
            }
            #expect(crowd.count == 600)
        }
    }

    /// Who connects and says nothing keeps nobody out for more than a second.
    @Test func newcomersDisplaceWhoSaysNothing() throws {
        let crowd = try (0..<200).map { n in try Client(server.address, from: "127.\(1 + n % 200).1.9") }
        try eventually("a newcomer is served") { try server.post("/track", Self.event).status == 200 }
        // Whoever asks for the metrics is a newcomer as well, and may have to come again.
        try eventually("it was for somebody's place") {
            try server.metric("waymark_connections_displaced_total") ?? 0 > 0
        }
        #expect(crowd.count == 200)
    }
}
