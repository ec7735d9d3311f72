import Testing

@testable import HTTP

private let host = "Host: a\r\n"

@Suite struct RequestParserTests {
    /// Hostile and broken requests, each with the refusal that it must meet.
    static let refusals: [(String, Refusal)] = [
        // Line ends and bytes that have no business in a head.
        ("GET / HTTP/1.1\nHost: a\n\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", .bareLineFeed),
        ("\nGET / HTTP/1.1\r\n\(host)\r\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\n\(host)\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", .controlByte),
        ("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", .controlByte),
        ("GET / HTTP/1.1\r\n\(host)X: long enough to be a word \u{1}\r\n\r\n", .controlByte),
        ("GET / HTTP/1.1\r\n\(host)X: \u{7f}\r\n\r\n", .controlByte),
        ("GET /\0 HTTP/1.1\r\n\(host)\r\n", .controlByte),
        // The request line.
        ("GET\r\n\(host)\r\n", .badRequestLine),
        ("GET /\r\n\r\n", .badRequestLine),
        ("GET  / HTTP/1.1\r\n\(host)\r\n", .badRequestLine),
        (" GET / HTTP/1.1\r\n\(host)\r\n", .badRequestLine),
        ("G(T / HTTP/1.1\r\n\(host)\r\n", .badRequestLine),
        ("GET / x HTTP/1.1\r\n\(host)\r\n", .badVersion),
        ("GET / HTTP/1.1 \r\n\(host)\r\n", .badVersion),
        ("GET / http/1.1\r\n\(host)\r\n", .badVersion),
        ("GET / HTTP/1.10\r\n\(host)\r\n", .badVersion),
        ("GET / HTTP/2.0\r\n\(host)\r\n", .unsupportedVersion),
        ("GET / HTTP/0.9\r\n\(host)\r\n", .unsupportedVersion),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion),
        ("GET a HTTP/1.1\r\n\(host)\r\n", .badTarget),
        ("GET * HTTP/1.1\r\n\(host)\r\n", .badTarget),
        ("GET /a#b HTTP/1.1\r\n\(host)\r\n", .badTarget),
        ("GET http:// HTTP/1.1\r\n\(host)\r\n", .badTarget),
        ("GET http://u@a/ HTTP/1.1\r\n\(host)\r\n", .badTarget),
        ("GET ftp://a/ HTTP/1.1\r\n\(host)\r\n", .badTarget),
        ("CONNECT a:443 HTTP/1.1\r\n\(host)\r\n", .methodNotImplemented),
        ("GET /\(String(repeating: "a", count: 2000)) HTTP/1.1\r\n\(host)\r\n", .requestLineTooLong),
        // Header lines.
        ("GET / HTTP/1.1\r\n\(host)X: a\r\n b\r\n\r\n", .obsoleteFolding),
        ("GET / HTTP/1.1\r\n\tX: a\r\n\(host)\r\n", .obsoleteFolding),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", .badFieldName),
        ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding : chunked\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\n\(host)no colon\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\n\(host): empty\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\n\(host)X\0Y: a\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\n\(host)X: \(String(repeating: "a", count: 2000))\r\n\r\n", .headTooLarge),
        ("GET / HTTP/1.1\r\n\(host)\(String(repeating: "X: 1\r\n", count: 200))\r\n", .tooManyFields),
        // Host.
        ("GET / HTTP/1.1\r\n\r\n", .missingHost),
        ("GET / HTTP/1.1\r\n\(host)\(host)\r\n", .severalHosts),
        ("GET / HTTP/1.0\r\n\(host)\(host)\r\n", .severalHosts),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .badHost),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .badHost),
        ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", .badHost),
        // Where the body ends: the ways in which requests are smuggled.
        (
            "POST / HTTP/1.1\r\n\(host)Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            .lengthAndCoding
        ),
        (
            "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
            .lengthAndCoding
        ),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", .severalLengths),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: 3\r\ncontent-length: 4\r\n\r\nabc", .severalLengths),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: 3, 3\r\n\r\nabc", .badLength),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: +3\r\n\r\nabc", .badLength),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: -3\r\n\r\nabc", .badLength),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: 0x3\r\n\r\nabc", .badLength),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: 3 0\r\n\r\nabc", .badLength),
        ("POST / HTTP/1.1\r\n\(host)Content-Length:\r\n\r\n", .badLength),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: 1001\r\n\r\n", .bodyTooLarge),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: 99999999999999999999999\r\n\r\n", .bodyTooLarge),
        ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip\r\n\r\n", .unknownCoding),
        ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: identity\r\n\r\n", .unknownCoding),
        ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: xchunked\r\n\r\n", .unknownCoding),
        ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip, chunked\r\n\r\n", .unknownCoding),
        ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked, gzip\r\n\r\n", .badCoding),
        ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked, chunked\r\n\r\n", .badCoding),
        ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding:\r\n\r\n", .badCoding),
        (
            "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            .badCoding
        ),
        ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: \u{b}chunked\r\n\r\n", .controlByte),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .codingInOldVersion),
        ("POST / HTTP/1.1\r\n\(host)Expect: 200-ok\r\nContent-Length: 1\r\n\r\n", .unknownExpectation),
        // What the body is: several fields are one list (RFC 9110, 5.3).
        (
            "GET / HTTP/1.1\r\n\(host)Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n\r\n",
            .severalEncodings
        ),
        (
            "GET / HTTP/1.1\r\n\(host)Content-Encoding: identity\r\nX: y\r\ncontent-encoding: br\r\n\r\n",
            .severalEncodings
        ),
        (
            "GET / HTTP/1.1\r\n\(host)Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\n",
            .severalTypes
        ),
    ]

    @Test(arguments: refusals)
    func aBadHeadIsRefused(_ text: String, _ refusal: Refusal) {
        #expect(parse(text) == .refused(refusal))
        expectSameWhenSplit(text)
    }

    static let chunkRefusals: [(String, Refusal)] = [
        ("g\r\n", .badChunk), ("\r\n", .badChunk), (";x\r\n", .badChunk), ("+1\r\na\r\n", .badChunk),
        ("0x1\r\na\r\n", .badChunk), (" 1\r\na\r\n", .badChunk), ("1 \r\na\r\n", .badChunk),
        ("-1\r\na\r\n", .badChunk), ("1\na\r\n", .badChunk), ("1\ra\r\n", .badChunk),
        ("1;a\nb\r\n", .badChunk), ("1;\0\r\na\r\n", .badChunk), ("1\r\nab\r\n", .badChunk),
        ("1\r\na\n0\r\n\r\n", .badChunk), ("1\r\na\rb", .badChunk), ("1\r\na0\r\n\r\n", .badChunk),
        ("0000000000000001\r\na\r\n", .badChunk), ("fffffffffffffff\r\n", .bodyTooLarge),
        ("3e9\r\n", .bodyTooLarge), ("1\r\na\r\n3e8\r\n", .bodyTooLarge),
        ("1;\(String(repeating: "x", count: 20_000))\r\n", .badChunk),
        ("0\r\n\rx", .badTrailer), ("0\r\nX\r\n\r\n", .badTrailer), ("0\r\n: x\r\n\r\n", .badTrailer),
        ("0\r\nX : y\r\n\r\n", .badTrailer), ("0\r\nX: y\n\r\n", .badTrailer),
        ("0\r\nX: y\r\n z\r\n\r\n", .badTrailer), ("0\r\nX: \0\r\n\r\n", .badTrailer),
        ("0\r\nX: \(String(repeating: "x", count: 20_000))\r\n", .headTooLarge),
    ]

    @Test(arguments: chunkRefusals)
    func aBadChunkIsRefused(_ body: String, _ refusal: Refusal) {
        let text = "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n\(body)"
        #expect(parse(text) == .refused(refusal))
        if text.utf8.count < 1000 { expectSameWhenSplit(text) }
    }

    /// Valid requests: target, path, query, body, and how many bytes come after the request.
    static let valid: [(text: String, path: String, query: String, body: String, rest: Int)] = [
        ("GET / HTTP/1.1\r\n\(host)\r\n", "/", "", "", 0),
        ("\r\n\r\nGET /a?b=c?d HTTP/1.1\r\n\(host)\r\n", "/a", "b=c?d", "", 0),
        ("GET /a? HTTP/1.1\r\nHost:\r\n\r\nGET", "/a", "", "", 3),
        ("GET http://a.example:80/b?c HTTP/1.1\r\n\(host)\r\n", "/b", "c", "", 0),
        ("GET HTTPS://[::1]?c HTTP/1.1\r\n\(host)\r\n", "", "c", "", 0),
        ("OPTIONS * HTTP/1.1\r\n\(host)\r\n", "*", "", "", 0),
        ("GET /é HTTP/1.1\r\nHost: [::1]:8686\r\nX: ü\t\r\n\r\n", "/é", "", "", 0),
        ("GET / HTTP/1.0\r\n\r\n", "/", "", "", 0),
        ("GET / HTTP/1.7\r\n\(host)\r\n", "/", "", "", 0),
        ("POST /t HTTP/1.1\r\n\(host)Content-Length: 5\r\n\r\nhelloPOST", "/t", "", "hello", 4),
        ("POST /t HTTP/1.1\r\nhOST:a\r\ncontent-LENGTH:\t 005 \t\r\n\r\nhello", "/t", "", "hello", 0),
        ("POST /t HTTP/1.1\r\n\(host)Content-Length: 0\r\n\r\n", "/t", "", "", 0),
        ("POST /t HTTP/1.1\r\n\(host)Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\nX", "/t", "", "", 1),
        (
            "POST /t HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n"
                + "1\r\na\r\n00B;name=\"value\";x\r\nbcdefghijkl\r\n1;\r\n\r\r\n0;x\r\nX: y\r\nZ:\r\n\r\nGET /",
            "/t", "", "abcdefghijkl\r", 5
        ),
        (
            "POST /t HTTP/1.1\r\n\(host)Expect: 100-Continue\r\nContent-Length: 2\r\nConnection: a, Close\r\n"
                + "Origin: https://a\r\nOrigin: https://b\r\nX-Forwarded-For: 1\r\nX-Forwarded-For: 2\r\n\r\nab",
            "/t", "", "ab", 0
        ),
        (
            "GET /t HTTP/1.1\r\n\(host)Content-Type: a/b\r\nContent-Type: a/b\r\nContent-Encoding: gzip\r\n"
                + "Content-Encoding:\r\n\r\n", "/t", "", "", 0
        ),
    ]

    @Test(arguments: valid.indices)
    func aGoodRequestIsUnderstood(_ index: Int) throws {
        let (text, path, query, body, rest) = Self.valid[index]
        let parsed = try #require(parse(text).parsed, "\(parse(text))")
        #expect(parsed.path == path)
        #expect(parsed.query == query)
        #expect(parsed.body == body)
        #expect(parsed.length == text.utf8.count - rest)
        expectSameWhenSplit(text)
    }

    /// Cut at each place, and into single bytes.
    private func expectSameWhenSplit(_ text: String) {
        let bytes = Array(text.utf8)
        let whole = parse(bytes)
        for cut in 1..<max(bytes.count, 1) {
            let split = parse(bytes, cuts: [cut])
            if split != whole { Issue.record("cut at \(cut): \(split), whole: \(whole)") }
        }
        #expect(parse(bytes, cuts: Array(1..<max(bytes.count, 1))) == whole)
    }

    @Test func theLastLineDecidesWhetherTheConnectionStays() {
        func keeps(_ version: String, _ connection: String) -> Bool? {
            parse("GET / HTTP/\(version)\r\n\(host)\(connection)\r\n").parsed?.keepsAlive
        }
        #expect(keeps("1.1", "") == true)
        #expect(keeps("1.1", "Connection: close\r\n") == false)
        #expect(keeps("1.1", "Connection: x\r\nConnection: CLOSE , y\r\n") == false)
        #expect(keeps("1.0", "") == false)
        #expect(keeps("1.0", "Connection: Keep-Alive\r\n") == true)
        #expect(keeps("1.0", "Connection: keep-alive, close\r\n") == false)
    }

    @Test func anExpectationCountsOnlyWithABodyAndInThisVersion() {
        func expects(_ version: String, _ length: Int) -> Bool? {
            let text =
                "POST / HTTP/\(version)\r\n\(host)Expect: 100-continue\r\nContent-Length: \(length)\r\n\r\n"
            return parse(text + String(repeating: "a", count: length)).parsed?.expectsContinue
        }
        #expect(expects("1.1", 1) == true)
        #expect(expects("1.1", 0) == false)
        #expect(expects("1.0", 1) == false)
    }

    @Test func theHeadsLimitIsExact() {
        let head = "GET / HTTP/1.1\r\n\(host)\r\n"
        #expect(parse(head, headLimit: head.utf8.count).parsed != nil)
        #expect(parse(head, headLimit: head.utf8.count - 1) == .refused(.headTooLarge))
    }

    @Test func theBodysLimitIsExact() {
        func body(_ framing: String) -> Outcome {
            parse("POST / HTTP/1.1\r\n\(host)\(framing)", bodyLimit: 4)
        }
        #expect(body("Content-Length: 4\r\n\r\nabcd").parsed?.body == "abcd")
        #expect(body("Content-Length: 5\r\n\r\nabcde") == .refused(.bodyTooLarge))
        let chunked = "Transfer-Encoding: chunked\r\n\r\n"
        #expect(body("\(chunked)2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n").parsed?.body == "abcd")
        #expect(body("\(chunked)2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n") == .refused(.bodyTooLarge))
    }

    @Test func thereAreNotTooManyFields() {
        func request(_ count: Int) -> Outcome {
            parse(
                "GET / HTTP/1.1\r\n\(host)\(String(repeating: "X: 1\r\n", count: count))\r\n", headLimit: 9000
            )
        }
        #expect(request(RequestParser.maximumFields - 1).parsed != nil)
        #expect(request(RequestParser.maximumFields) == .refused(.tooManyFields))
    }

    @Test func garbageNeverTakesTheParserDown() {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "GET ", "POST ", "/", " HTTP/1.1", "\r\n", "\n", "\r", ":", " ", "Host: a", "Content-Length: 3",
            "Transfer-Encoding: chunked", "0", "3", "abc", "\0", ";", "é", "http://", "?",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 1...24)).map { _ in pieces.randomElement(using: &random) ?? "" }
                .joined()
            let bytes = Array(text.utf8)
            let cut = Int.random(in: 0...bytes.count)
            #expect(parse(bytes, cuts: [cut]) == parse(bytes), "\(text.debugDescription) cut at \(cut)")
        }
    }
}
