import TestSupport
import Testing

/// Content types, content encodings, and what they may inflate to (contract, section 2).
@Suite struct EncodingTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    private func payload(_ marker: String, padding: Int = 0) -> [UInt8] {
        let text = String(repeating: "x", count: padding)
        return Array(
            #"{"source":{"id":"shop-web"},"events":[{"type":"a","properties":{"m":"\#(marker)","p":"\#(text)"}}]}"#
                .utf8)
    }

    @Test(arguments: [
        "application/json", "application/json; charset=utf-8", "application/json;charset=ISO-8859-1",
        "Application/JSON", "application/vnd.api+json", "application/cloudevents+json; charset=utf-8",
        "text/plain",
        "text/plain;charset=UTF-8", nil,
    ])
    func theseTypesHoldJSON(_ type: String?) throws {
        let marker = unique("m")
        let headers = type.map { [("Content-Type", $0)] } ?? []
        let answer = try shop.server.exchange(Request("POST", "/track", headers, body: payload(marker)))
        #expect(answer.status == 200, "\(answer.text)")
        _ = try shop.event(marker)
    }

    @Test(arguments: [
        "text/html", "application/xml", "multipart/form-data; boundary=x", "application/octet-stream", "json",
        "application/jsonp", "application/x-www-form-urlencoded",
    ])
    func otherTypesAreA415(_ type: String) throws {
        let answer = try shop.server.exchange(
            Request("POST", "/track", [("Content-Type", type)], body: payload(unique("m"))))
        try expectError(answer, 415)
    }

    @Test(arguments: [
        ("gzip", Wrapping.gzip), ("GZIP", .gzip), ("x-gzip", .gzip), ("deflate", .zlib), ("deflate", .raw),
        ("identity", nil),
    ])
    func packedBodiesAreUnpacked(_ encoding: String, _ wrapping: Wrapping?) throws {
        let marker = unique("m")
        let body = try wrapping.map { try deflated(payload(marker, padding: 100_000), $0) } ?? payload(marker)
        let headers = [("Content-Type", "application/json"), ("Content-Encoding", encoding)]
        let answer = try shop.server.exchange(Request("POST", "/track", headers, body: body))
        #expect(answer.status == 200, "\(answer.text)")
        _ = try shop.event(marker)
    }

    @Test(arguments: ["br", "zstd", "compress", "gzip, gzip", "gzip, br", "nonsense"])
    func otherEncodingsAreA415(_ encoding: String) throws {
        let body = try deflated(payload(unique("m")), .gzip)
        let answer = try shop.server.exchange(
            Request("POST", "/track", [("Content-Encoding", encoding)], body: body))
        try expectError(answer, 415)
    }

    @Test func aPackedBodyThatIsCutOrGarbledIsA400() throws {
        let whole = try deflated(payload(unique("m"), padding: 5000), .gzip)
        var garbled = whole
        for i in garbled.indices.dropFirst(12).prefix(20) { garbled[i] ^= 0x5a }
        var wrongSum = whole
        wrongSum[wrongSum.count - 6] ^= 1
        for body in [Array(whole.dropLast(20)), garbled, wrongSum, Array("not gzip".utf8), []] {
            let answer = try shop.server.exchange(
                Request("POST", "/track", [("Content-Encoding", "gzip")], body: body))
            try expectError(answer, 400)
        }
    }

    @Test(arguments: [Wrapping.gzip, .zlib])
    func aBombIsA413AndCostsNoMemory(_ wrapping: Wrapping) throws {
        let bomb = try deflated([UInt8](repeating: 0x20, count: 200 << 20), wrapping, level: 9)
        let headers = [("Content-Encoding", wrapping == .gzip ? "gzip" : "deflate")]
        for _ in 0..<4 {
            try expectError(shop.server.exchange(Request("POST", "/track", headers, body: bomb)), 413)
        }
        #expect(shop.server.residentMemory < 200 << 20)
    }

    @Test func aBodyUpToTheLimitIsTaken() throws {
        let marker = unique("m")
        let empty = payload(marker).count
        let body = payload(marker, padding: (4 << 20) - empty)
        #expect(body.count == 4 << 20)
        #expect(try shop.server.exchange(Request("POST", "/track", body: body)).status == 200)
        _ = try shop.event(marker)
        let packed = try deflated(payload(marker, padding: (4 << 20) - empty + 1), .gzip)
        try expectError(
            shop.server.exchange(Request("POST", "/track", [("Content-Encoding", "gzip")], body: packed)), 413
        )
    }

    @Test func aBodyOverTheLimitIsRefusedBeforeItIsSent() throws {
        let client = try Client(shop.server.address)
        try client.send("POST /track HTTP/1.1\r\nHost: a\r\nContent-Length: \((4 << 20) + 1)\r\n\r\n")
        try expectError(client.receive(), 413)
        #expect(client.isClosed())
    }

    @Test func aChunkedBodyOverTheLimitIsRefused() throws {
        let client = try Client(shop.server.address)
        try client.send("POST /track HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = Array("100000\r\n".utf8) + [UInt8](repeating: 0x20, count: 1 << 20) + [13, 10]
        for _ in 0..<5 { try client.send(chunk) }
        try expectError(client.receive(), 413)
        #expect(client.isClosed())
    }
}
