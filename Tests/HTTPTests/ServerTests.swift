import Foundations
import Glibc
import HTTP
import Testing

@Suite struct ServerTests {
    @Test func aConnectionServesOneRequestAfterTheOther() throws {
        let server = try TestServer()
        let client = try server.client()
        for i in 0..<3 {
            client.send(
                "POST /echo?\(i) HTTP/1.1\r\nHost: a\r\nUser-Agent: me\r\nX-Other: \t you \r\nContent-Length: 2\r\n\r\nhi"
            )
            let answer = try #require(client.answer())
            #expect(answer.status == 200)
            #expect(answer.body == "POST /echo?\(i) 127.0.0.1 me you hi")
            #expect(answer.fields["content-type"] == "text/plain")
            #expect(answer.fields["date"]?.hasSuffix(" GMT") == true)
            #expect(answer.fields["connection"] == nil)
        }
    }

    @Test(arguments: ["/late", "/soon", "/echo"])
    func aHundredPipelinedRequestsAreAnsweredInOrder(_ path: String) throws {
        let server = try TestServer()
        let client = try server.client()
        client.send((0..<100).map { "GET \(path)?n\($0)n HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
        for i in 0..<100 {
            #expect(try #require(client.answer(), "answer \(i)").body.contains("n\(i)n"))
        }
        client.get("/echo")
        #expect(client.answer()?.status == 200)
    }

    @Test func everyByteMayComeAlone() throws {
        let server = try TestServer()
        let client = try server.client()
        let one =
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n"
        for byte in (one + "\r\n" + one).utf8 { client.send([byte]) }
        for _ in 0..<2 { #expect(client.answer()?.body.hasSuffix(" abc") == true) }
        server.waitUntil("buffers are given back") { server.server.metrics.bufferedBytes.current == 0 }
    }

    @Test func aLargeBodyArrivesWhole() throws {
        let server = try TestServer()
        let client = try server.client()
        let body = (0..<300_000).map { String($0 % 10) }.joined()
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        #expect(client.answer()?.body.hasSuffix(body) == true)
        server.waitUntil("buffers are given back") { server.server.metrics.bufferedBytes.current == 0 }
    }

    @Test func headIsAnsweredWithoutABody() throws {
        let server = try TestServer()
        let client = try server.client()
        client.send("HEAD /big/10 HTTP/1.1\r\nHost: a\r\n\r\nGET /none HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.answer(toHead: true)?.fields["content-length"] == "10")
        let none = try #require(client.answer())
        #expect(none.status == 204)
        #expect(none.fields["content-length"] == nil && none.fields["content-type"] == nil)
    }

    @Test(arguments: [
        ("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "close"),
        (
            "GET /late HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "close"
        ),
        ("GET /echo HTTP/1.0\r\n\r\n", "close"),
        ("GET /soon HTTP/1.0\r\nConnection: close\r\n\r\n", "close"),
    ])
    func theLastAnswerSaysSoAndTheConnectionEnds(_ request: String, _ connection: String) throws {
        let server = try TestServer()
        let client = try server.client()
        client.send(request)
        #expect(client.answer()?.fields["connection"] == connection)
        #expect(client.isClosed)
    }

    @Test func anOldClientMayKeepItsConnection() throws {
        let server = try TestServer()
        let client = try server.client()
        for _ in 0..<2 {
            client.send("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(client.answer()?.fields["connection"] == "keep-alive")
        }
    }

    @Test func whoAsksWhetherToGoOnIsTold() throws {
        let server = try TestServer()
        let client = try server.client()
        client.send(
            "GET /soon HTTP/1.1\r\nHost: a\r\n\r\n"
                + "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        #expect(client.answer()?.status == 200)
        #expect(client.answer()?.status == 100)
        client.send("abc")
        #expect(client.answer()?.body.hasSuffix(" abc") == true)
        // A body that is too large is refused before it is sent.
        client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")
        #expect(client.answer()?.status == 413)
    }

    @Test func everyAnswerCarriesARequestID() throws {
        let server = try TestServer()
        let client = try server.client()
        client.get("/echo", "X-Request-Id: mine-1\r\n")
        #expect(client.answer()?.fields["x-request-id"] == "mine-1")
        client.get("/echo", "X-Request-Id: not \"sane\"\r\n")
        let fresh = try #require(client.answer()?.fields["x-request-id"])
        #expect(UUID(fresh) != nil)
        client.get("/soon", "X-Request-Id: mine-2\r\n")
        #expect(client.answer()?.fields["x-request-id"] == "mine-2")
        client.get("/", "X-Request-Id: mine-3\r\nContent-Length: x\r\n")
        let refused = try #require(client.answer())
        #expect(refused.status == 400)
        #expect(refused.fields["x-request-id"] == "mine-3")
        let other = try server.client()
        other.send("nonsense\r\n")
        #expect(UUID(other.answer()?.fields["x-request-id"] ?? "") != nil)
    }

    @Test(arguments: [
        ("Content-Length: 99999999\r\n\r\n", 413), ("Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        ("Transfer-Encoding: gzip\r\n\r\n", 501), ("Expect: tea\r\n\r\n", 417),
        ("Transfer-Encoding: chunked\r\n\r\nx", 400),
    ])
    func aPageCanReadARefusal(_ fields: String, _ status: Int) throws {
        let server = try TestServer()
        let client = try server.client()
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\n\(fields)")
        let answer = try #require(client.answer())
        #expect(answer.status == status)
        #expect(answer.fields["access-control-allow-origin"] == "https://a.example")
        #expect(answer.fields["connection"] == "close")
        #expect(answer.body.hasSuffix("\"status\":\(status)}"))
        client.finish()
        #expect(client.isClosed)
    }

    @Test func aRefusalWaitsForItsTurnAndReachesWhoStillSends() throws {
        let server = try TestServer()
        let client = try server.client()
        client.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        server.waitUntil("the first request is held") { server.held == 1 }
        client.send([UInt8](repeating: 65, count: 500_000), flags: Int32(MSG_DONTWAIT))
        server.release()
        #expect(client.answer()?.status == 200)
        #expect(client.answer()?.status == 400)
        client.finish()
        #expect(client.isClosed)
    }

    @Test func aClientBehindATrustedProxyIsSeen() throws {
        let loopback = Network(address: try #require(IPAddress("127.0.0.0")), prefix: 104)
        let server = try TestServer(trusted: [loopback])
        let client = try server.client()
        client.get("/echo", "X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n")
        #expect(client.answer()?.body.contains(" 192.0.2.7 ") == true)
    }

    @Test func eachKindOfAddressIsListenedOn() throws {
        let path = "/tmp/waymark-http-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        let server = try TestServer(listen: [
            .unix(path: path), .tcp(host: "::1", port: 0), .tcp(host: "*", port: 0),
        ])
        #expect(server.addresses[0] == "unix:\(path)")
        #expect(server.addresses[1].hasPrefix("[::1]:"))
        let any = Client.port(server.addresses[2])
        for address in server.addresses[0...1] + ["127.0.0.1:\(any)", "[::1]:\(any)"] {
            let client = try Client(address)
            client.get("/echo")
            #expect(client.answer()?.body.contains(address.hasPrefix("[") ? " ::1 " : " 127.0.0.1 ") == true)
        }
        // A server that lives is not pushed aside.
        #expect(throws: SystemError(code: EADDRINUSE, "bind", path)) {
            try TestServer(listen: [.unix(path: path)])
        }
    }

    @Test func aNameIsListenedOnAsWell() throws {
        let server = try TestServer(listen: [.tcp(host: "localhost", port: 0)])
        let address = try #require(server.addresses.first { $0.hasPrefix("127.0.0.1:") })
        let client = try Client(address)
        client.get("/echo")
        #expect(client.answer()?.status == 200)
        #expect(throws: SystemError.self) {
            try TestServer(listen: [.tcp(host: "no-such-host.invalid", port: 0)])
        }
    }

    @Test func aStaleSocketFileIsReplacedAndOtherFilesAreNot() throws {
        let path = "/tmp/waymark-http-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        let dead = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(dead, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(code == 0)
        close(dead)
        do {
            let server = try TestServer(listen: [.unix(path: path)])
            let client = try server.client()
            client.get("/echo")
            #expect(client.answer()?.status == 200)
        }
        #expect(throws: SystemError.self) { try TestServer(listen: [.unix(path: "/tmp")]) }
    }
}
