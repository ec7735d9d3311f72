import CResolver
import Dispatch
import Foundations
import Glibc
import Logging
import TestSupport
import Testing

@testable import Outbound

/// The client against real sockets.
@Suite struct ClientTests {
    static let loopback = Network(address: IPAddress(v4: 0x7f00_0000), prefix: 96 + 8)

    static func client(lookupSeconds: Int = 60) throws -> OutboundClient {
        var options = OutboundOptions()
        options.lookupSeconds = lookupSeconds
        return try OutboundClient(options, logger: Logger(label: "test"))
    }

    static func request(_ url: String, _ body: String = "data=1") -> OutboundRequest {
        var request = OutboundRequest(url: url, body: Array(body.utf8))
        request.allowNetworks = [loopback]
        return request
    }

    @Test func postsTheBodyAndReadsTheAnswer() throws {
        let receiver = try Receiver { _ in .status(201, headers: ["X-Answer: yes "], body: "fine") }
        defer { receiver.close() }
        var request = Self.request(receiver.url, "data=%7B%7D")
        request.headers = [("Content-Type", "application/x-www-form-urlencoded"), ("webhook-id", "1")]
        request.authorization = .basic(user: "acme", password: "pass:wörd")
        let answer = try Self.client().exchange(request).get()
        #expect(answer.status == 201)
        #expect(String(decoding: answer.body, as: UTF8.self) == "fine")
        #expect(answer.header("x-answer") == "yes")
        let call = try receiver.await(1)[0]
        #expect(call.method == "POST" && call.target == "/hook" && call.text == "data=%7B%7D")
        #expect(call.header("authorization") == "Basic YWNtZTpwYXNzOnfDtnJk")
        #expect(call.header("content-type") == "application/x-www-form-urlencoded")
        #expect(call.header("webhook-id") == "1")
        #expect(call.header("user-agent") == "Waymark")
        #expect(call.header("expect") == nil)
    }

    @Test func anotherUserAgentReplacesOurs() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        var request = Self.request(receiver.url)
        request.headers = [("user-agent", "mine")]
        _ = try Self.client().exchange(request).get()
        let agents = receiver.calls[0].headers.filter { $0.name.lowercased() == "user-agent" }
        #expect(agents.map(\.value) == ["mine"])
    }

    @Test func readsAtMostSixteenKibibytes() throws {
        let long = String(repeating: "x", count: 1 << 20)
        let receiver = try Receiver { _ in .status(500, body: long) }
        defer { receiver.close() }
        let answer = try Self.client().exchange(Self.request(receiver.url)).get()
        #expect(answer.status == 500)
        #expect(answer.body.count == 16 << 10)
        #expect(answer.isTruncated)
    }

    @Test func followsNoRedirect() throws {
        let receiver = try Receiver { call in
            call.target == "/hook" ? .status(302, headers: ["Location: /other"]) : .status(200)
        }
        defer { receiver.close() }
        let answer = try Self.client().exchange(Self.request(receiver.url)).get()
        #expect(answer.status == 302)
        #expect(receiver.calls.map(\.target) == ["/hook"])
    }

    @Test func ignoresTheProxiesOfTheEnvironment() throws {
        let names = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        for name in names { setenv(name, "http://127.0.0.1:9", 1) }
        defer { for name in names { unsetenv(name) } }
        let receiver = try Receiver()
        defer { receiver.close() }
        #expect(try Self.client().exchange(Self.request(receiver.url)).get().status == 200)
    }

    @Test func keepsTheConnection() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let client = try Self.client()
        for _ in 0..<5 { _ = try client.exchange(Self.request(receiver.url)).get() }
        #expect(receiver.connections == 1)
        #expect(receiver.count == 5)
    }

    /// Whether it broke does not depend on whose connection it was: the receiver had the request.
    @Test(arguments: [0, 1]) func anAnswerThatBreaksOffIsNoMissingConnection(_ before: Int) throws {
        let calls = Locked(0)
        let receiver = try Receiver { _ in
            let isLast = calls.withLock { calls in
                calls += 1
                return calls > before
            }
            return isLast ? .raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello") : .status(200)
        }
        defer { receiver.close() }
        let client = try Self.client()
        for _ in 0..<before { _ = try client.exchange(Self.request(receiver.url)).get() }
        let error = #expect(throws: OutboundError.self) {
            try client.exchange(Self.request(receiver.url)).get()
        }
        #expect(error?.kind == .broken)
        #expect(receiver.connections == 1 && receiver.count == before + 1)
    }

    /// A connection that another request was allowed to make is not a way around the guard.
    @Test func theGuardAlsoLooksAtConnectionsThatWereKept() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let client = try Self.client()
        _ = try client.exchange(Self.request(receiver.url)).get()
        var strict = Self.request(receiver.url)
        strict.allowNetworks = []
        let error = try #require(throws: OutboundError.self) { try client.exchange(strict).get() }
        #expect(error.kind == .refused)
        #expect(error.message == "the address is not allowed: 127.0.0.1 is a loopback address (127.0.0.0/8)")
        #expect(receiver.count == 1)
    }

    @Test(arguments: ["http://127.0.0.1", "http://0x7f.1", "http://2130706433", "http://localhost"])
    func theGuardSeesThroughTheSpellingOfAnAddress(_ url: String) throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let request = OutboundRequest(url: "\(url):\(receiver.port)/")
        let error = try #require(throws: OutboundError.self) { try Self.client().exchange(request).get() }
        #expect(error.kind == .refused)
        #expect(receiver.connections == 0)
    }

    /// DNS rebinding: a name that resolves to an allowed address first, and then to another one.
    @Test func aResolverThatChangesItsAnswerGainsNothing() throws {
        let receiver = try Receiver { _ in .status(200, headers: ["Connection: close"]) }
        defer { receiver.close() }
        resolver_answer("rebind.test", "127.0.0.1 127.0.0.2")
        let client = try Self.client(lookupSeconds: 0)
        var request = Self.request("http://rebind.test:\(receiver.port)/")
        request.allowNetworks = [Network(address: IPAddress(v4: 0x7f00_0001), prefix: 128)]
        #expect(try client.exchange(request).get().status == 200)
        let error = try #require(throws: OutboundError.self) { try client.exchange(request).get() }
        #expect(resolver_count("rebind.test") == 2)
        #expect(error.kind == .refused)
        #expect(error.message.contains("127.0.0.2"))
        #expect(receiver.connections == 1)
    }

    @Test func aNameServerThatHangsHoldsUpNobodyElse() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        resolver_hang("hangs.test", 8000)
        let client = try Self.client()
        var slow = Self.request("http://hangs.test/")
        slow.connectTimeout = 200
        let begun = Moment.now
        let pending = client.begin(slow)
        #expect(try client.exchange(Self.request(receiver.url)).get().status == 200)
        let error = try #require(throws: OutboundError.self) { try pending.get() }
        #expect(error.kind == .timeout)
        #expect(try client.exchange(Self.request(receiver.url)).get().status == 200)
        #expect(Moment.now - begun < 6)
    }

    @Test func aServerThatIsSilentTimesOut() throws {
        let receiver = try Receiver { _ in .silence }
        defer { receiver.close() }
        var request = Self.request(receiver.url)
        request.timeout = 150
        let error = try #require(throws: OutboundError.self) { try Self.client().exchange(request).get() }
        #expect(error.kind == .timeout)
        #expect((150..<10_000).contains(error.milliseconds))
    }

    @Test func whereNobodyListensIsSaidAtOnce() throws {
        let receiver = try Receiver()
        receiver.close()
        let error = try #require(throws: OutboundError.self) {
            try Self.client().exchange(Self.request(receiver.url)).get()
        }
        #expect(error.kind == .unconnected)
        #expect(error.milliseconds < 4000)
    }

    @Test func anUnknownNameIsUnresolved() throws {
        resolver_answer("nobody.test", "")
        let error = try #require(throws: OutboundError.self) {
            try Self.client().exchange(Self.request("http://nobody.test/")).get()
        }
        #expect(error.kind == .unresolved)
    }

    @Test func aBrokenAnswerIsBroken() throws {
        let receiver = try Receiver { _ in .raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort") }
        defer { receiver.close() }
        let error = try #require(throws: OutboundError.self) {
            try Self.client().exchange(Self.request(receiver.url)).get()
        }
        #expect(error.kind == .broken)
    }

    @Test(arguments: [
        "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "http://", "https:///path",
        "example.com",
        "http://user:secret@example.com/", "http://example.com/ä", "http://example.com/a b", "http://a\r\nb/",
    ])
    func onlyURLsOfHTTPAreSent(_ url: String) throws {
        let error = try #require(throws: OutboundError.self) {
            try Self.client().exchange(Self.request(url)).get()
        }
        #expect(error.kind == .invalid)
    }

    @Test(arguments: [
        ("X-A", "b\r\nX-C: d"), ("X-A", "b\n"), ("X A", "b"), ("", "b"), ("X-A:", "b"), ("X-A", "\0"),
    ])
    func aHeaderThatWouldBeginAnotherIsRefused(_ name: String, _ value: String) throws {
        var request = Self.request("http://127.0.0.1:9/")
        request.headers = [(name, value)]
        let error = try #require(throws: OutboundError.self) { try Self.client().exchange(request).get() }
        #expect(error.kind == .invalid)
    }

    @Test func manyAreOnTheirWayAtOnce() throws {
        let receiver = try Receiver { _ in
            pause(0.02)
            return .status(200)
        }
        defer { receiver.close() }
        let client = try Self.client()
        let pending = (0..<200).map { _ in client.begin(Self.request(receiver.url)) }
        for answer in pending { #expect(try answer.get().status == 200) }
        #expect(receiver.count == 200)
    }

    @Test func whatIsOnItsWayAtAStopFails() throws {
        let receiver = try Receiver { _ in .silence }
        defer { receiver.close() }
        let client = try Self.client()
        let pending = client.begin(Self.request(receiver.url))
        try receiver.await(1)
        client.stop()
        let error = try #require(throws: OutboundError.self) { try pending.get() }
        #expect(error.kind == .stopped)
        let late = try #require(throws: OutboundError.self) {
            try client.exchange(Self.request(receiver.url)).get()
        }
        #expect(late.kind == .stopped)
    }
}

/// An answer that is still to come.
final class Pending: @unchecked Sendable {  // `result` is written before `done` is signalled, read after
    private let done = DispatchSemaphore(value: 0)
    private var result: Result<OutboundResponse, OutboundError>?

    func resolve(_ result: Result<OutboundResponse, OutboundError>) {
        self.result = result
        done.signal()
    }

    func get() throws -> OutboundResponse {
        guard done.wait(timeout: .now() + 60 * patience) == .success, let result else {
            throw Failure("no answer")
        }
        return try result.get()
    }
}

extension OutboundClient {
    func begin(_ request: OutboundRequest) -> Pending {
        let pending = Pending()
        send(request) { pending.resolve($0) }
        return pending
    }

    func exchange(_ request: OutboundRequest) -> Result<OutboundResponse, any Error> {
        let pending = begin(request)
        return Result { try pending.get() }
    }
}
