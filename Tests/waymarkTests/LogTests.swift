import Foundations
import Logging
import Testing

@testable import waymark

/// What a logger writes, line by line.
private func lines(level: Logger.Level = .info, _ body: (inout Logger) -> Void) -> [String] {
    let written = Locked<[String]>([])
    let time = Timestamp(microseconds: 1_795_316_645_678_901)
    let clock = Clock(now: { time }, monotonic: { 0 })
    let log = StandardErrorLog(level: level, clock: clock) { bytes in
        written.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
    }
    var logger = Logger(label: "test", factory: { _ in log })
    body(&logger)
    return written.withLock { $0 }
}

struct LogTests {
    @Test func anEventIsOneLineOfFacts() {
        let all = lines { logger in
            logger[metadataKey: "server"] = "a"
            logger.warning("listening on it", metadata: ["address": "127.0.0.1:8686", "port": "8686"])
        }
        let expected = """
            time=2026-11-22T03:04:05.678901Z level=warning msg="listening on it" address=127.0.0.1:8686 port=8686 \
            server=a\n
            """
        #expect(all == [expected])
    }

    @Test func whatIsBelowTheLevelIsNotWritten() {
        #expect(lines(level: .warning) { $0.info("quiet") }.isEmpty)
        #expect(lines(level: .debug) { $0.debug("loud") }.count == 1)
    }

    @Test(arguments: [
        ("a b", #""a b""#), ("", #""""#), ("say \"no\"", #""say \"no\"""#), ("a=b", #""a=b""#),
        ("x\nlevel=error msg=forged", #""x\nlevel=error msg=forged""#), ("\r\u{1b}[31m", #""\r\u{1b}[31m""#),
        ("é", #""é""#), ("back\\slash", #""back\\slash""#), ("\u{0}", #""\u{0}""#),
        ("\u{2028}", #""\u{2028}""#),
        ("\u{85}", #""\u{85}""#), ("plain-1", "plain-1"),
    ])
    func nobodyCanForgeALine(value: String, written: String) {
        let all = lines { $0.info("m", metadata: ["k": "\(value)"]) }
        #expect(all.count == 1)
        #expect(all.first?.hasSuffix("msg=\"m\" k=\(written)\n") == true, "\(all)")
        #expect(all.first?.unicodeScalars.filter { $0.properties.generalCategory == .control }.count == 1)
    }

    @Test func aKeyIsAlwaysAWord() {
        let all = lines { $0.info("m", metadata: ["a b\n": "1"]) }
        #expect(all.first?.hasSuffix(" a_b_=1\n") == true)
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000000Z"), (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
        (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"),
        (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"), (-2_208_988_800_000_000, "1900-01-01T00:00:00.000000Z"),
        (1_735_689_599_000_000, "2024-12-31T23:59:59.000000Z"),
    ])
    func timesAreWrittenInUTC(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).iso8601 == text)
    }
}
