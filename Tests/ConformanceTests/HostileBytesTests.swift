import TestSupport
import Testing

/// Bytes that no honest client sends: refused, closed, and never taken for two requests (contract, section 7).
@Suite struct HostileBytesTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    /// A hostile head, with the status that it must get.
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let bytes: String
        let statuses: [Int]
        var testDescription: String { name }

        init(_ name: String, _ bytes: String, _ statuses: Int...) {
            (self.name, self.bytes, self.statuses) = (name, bytes, statuses)
        }
    }

    private static let post = "POST /track HTTP/1.1\r\nHost: a\r\n"
    private static let get = "GET /healthz HTTP/1.1\r\nHost: a\r\n"

    static let smuggling = [
        Case("both lengths", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        Case(
            "both, the other way round",
            post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
        Case("two lengths", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400),
        Case("the same length twice", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
        Case("a list of lengths", post + "Content-Length: 5, 5\r\n\r\nhello", 400),
        Case("a signed length", post + "Content-Length: +5\r\n\r\nhello", 400),
        Case("a negative length", post + "Content-Length: -1\r\n\r\n", 400),
        Case("a hexadecimal length", post + "Content-Length: 0x5\r\n\r\nhello", 400),
        Case("an empty length", post + "Content-Length:\r\n\r\n", 400),
        Case("a length with a space", post + "Content-Length: 5 5\r\n\r\nhello", 400),
        Case("a length that overflows", post + "Content-Length: 99999999999999999999999\r\n\r\n", 400, 413),
        Case("a length of 2^64", post + "Content-Length: 18446744073709551616\r\n\r\n", 400, 413),
        Case("an unknown coding", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, 501),
        Case("chunked not last", post + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400, 501),
        Case("chunked twice", post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400, 501),
        Case(
            "two codings headers",
            post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n", 400, 501),
        Case("identity", post + "Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n", 400, 501),
        Case(
            "an obsolete tab in the coding", post + "Transfer-Encoding:\u{b}chunked\r\n\r\n0\r\n\r\n", 400,
            501),
        Case("a space before the colon", post + "Content-Length : 5\r\n\r\nhello", 400),
        Case("a space before the coding's colon", post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
        Case(
            "a coding in HTTP/1.0",
            "POST /track HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        Case(
            "chunk size with a sign", post + "Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n", 400
        ),
        Case("chunk size in 0x", post + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", 400),
        Case("an empty chunk size", post + "Transfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n", 400),
        Case(
            "a chunk size that overflows", post + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
            400, 413),
        Case(
            "a chunk longer than said", post + "Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
            400),
        Case(
            "a bare LF after the size", post + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", 400),
        Case(
            "a bare LF after the chunk", post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n", 400
        ),
        Case(
            "a forbidden trailer fold", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n c\r\n\r\n",
            400),
    ]

    static let malformed = [
        Case("no host", "GET /healthz HTTP/1.1\r\n\r\n", 400),
        Case("two hosts", get + "Host: b\r\n\r\n", 400),
        Case("a host with a space", "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        Case("a host with a path", "GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        Case("an obsolete fold", get + "X-A: b\r\n c\r\n\r\n", 400),
        Case("a fold in the first header", "GET /healthz HTTP/1.1\r\n Host: a\r\n\r\n", 400),
        Case("a bare LF", "GET /healthz HTTP/1.1\nHost: a\n\n", 400),
        Case("a bare LF among the headers", get + "X-A: b\nX-B: c\r\n\r\n", 400),
        Case("a bare CR", get + "X-A: b\rX-B: c\r\n\r\n", 400),
        Case("a NUL in a value", get + "X-A: b\u{0}c\r\n\r\n", 400),
        Case("a NUL in the target", "GET /health\u{0}z HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        Case("a NUL in a name", get + "X\u{0}A: b\r\n\r\n", 400),
        Case("a control character in a value", get + "X-A: b\u{1}c\r\n\r\n", 400),
        Case("a header without a colon", get + "nonsense\r\n\r\n", 400),
        Case("an empty name", get + ": b\r\n\r\n", 400),
        Case("a name with a space", get + "X A: b\r\n\r\n", 400),
        Case("a name with a bracket", get + "X(A): b\r\n\r\n", 400),
        Case("no version", "GET /healthz\r\nHost: a\r\n\r\n", 400, 505),
        Case("version 2.0", "GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        Case("version 1.2", "GET /healthz HTTP/1.2\r\nHost: a\r\n\r\n", 200, 505),
        Case("a lower-case version", "GET /healthz http/1.1\r\nHost: a\r\n\r\n", 400, 505),
        Case("two spaces", "GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        Case("a tab", "GET\t/healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        Case("a space at the end", "GET /healthz HTTP/1.1 \r\nHost: a\r\n\r\n", 400, 505),
        Case("a space in the target", "GET /health z HTTP/1.1\r\nHost: a\r\n\r\n", 400, 505),
        Case("a relative target", "GET healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        Case("a method with a bracket", "G(T /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        Case("no method", " /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        Case("TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\r\n\r\n", 400),
        Case("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, 505),
        Case("garbage", "\u{1}\u{2}\u{3}\r\n\r\n", 400),
        Case("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400, 405, 501),
    ]

    static let oversize = [
        Case(
            "a long target", "GET /\(String(repeating: "a", count: 40_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414,
            431),
        Case("a long line without an end", "GET /" + String(repeating: "a", count: 200_000), 414, 431),
        Case("a long header", get + "X-A: \(String(repeating: "b", count: 40_000))\r\n\r\n", 431),
        Case("a header without an end", get + "X-A: " + String(repeating: "b", count: 200_000), 431),
        Case("many headers", get + (0..<5000).map { "X-\($0): b\r\n" }.joined() + "\r\n", 431),
        Case("a long name", get + String(repeating: "N", count: 40_000) + ": b\r\n\r\n", 431),
        Case("a method without an end", String(repeating: "A", count: 100_000), 400, 414, 431, 501),
        Case("many empty lines", String(repeating: "\r\n", count: 50_000), 200, 400, 414, 431),
        Case(
            "a long chunk extension",
            post + "Transfer-Encoding: chunked\r\n\r\n5;" + String(repeating: "x", count: 100_000), 400, 431),
        Case(
            "endless trailers",
            post + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + String(repeating: "A: b\r\n", count: 20_000),
            400, 431),
    ]

    @Test(arguments: smuggling + malformed + oversize)
    func itIsRefusedAndTheConnectionClosed(_ hostile: Case) throws {
        let client = try Client(shop.server.address)
        // What is smuggled behind it would be answered 200 by a server that lost count.
        try client.send(hostile.bytes + "GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n")
        let answer = try client.receive(to: "POST")
        if answer.status == 200, hostile.statuses.contains(200) { return }
        #expect(hostile.statuses.contains(answer.status), "\(answer.status) \(answer.text)")
        try expectError(answer, answer.status)
        #expect(answer.header("Connection")?.lowercased() == "close")
        let rest = try client.readToEnd()
        #expect(rest.isEmpty, "more than one answer: \(String(decoding: rest, as: UTF8.self))")
    }

    @Test func aBodyThatEndsEarlyIsNotTaken() throws {
        let marker = unique("m")
        let body = #"{"source":{"id":"shop-web"},"events":[{"type":"a","properties":{"m":"\#(marker)"}}]}"#
        for head in ["Content-Length: \(body.utf8.count + 1)", "Transfer-Encoding: chunked"] {
            let client = try Client(shop.server.address)
            let start = head.hasPrefix("T") ? "\(String(body.utf8.count, radix: 16))\r\n" : ""
            try client.send("POST /track HTTP/1.1\r\nHost: a\r\n\(head)\r\n\r\n\(start)\(body)")
            client.endSending()
            #expect(client.isClosed())
        }
        try shop.flush()
        #expect(try shop.events(marker) == 0)
    }

    @Test func theServerOutlivesRandomBytes() throws {
        var random = SeededRandom(42)
        for _ in 0..<200 {
            let client = try Client(shop.server.address)
            var bytes = Request("POST", "/track", body: Array(#"{"source":{"id":"shop-web"}}"#.utf8)).bytes
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            try client.send(bytes)
            client.endSending()
            #expect(client.isClosed())
        }
        #expect(try shop.server.get("/healthz").status == 200)
    }
}
