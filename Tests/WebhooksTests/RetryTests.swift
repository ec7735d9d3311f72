import Foundations
import Testing

@testable import Webhooks

/// When a delivery is tried again.
@Suite struct RetryTests {
    static let id = Samples.item().id
    static let second: Int64 = 1_000_000

    func decide(
        _ outcome: AttemptOutcome, _ attempt: Int = 1, hadExtra: Bool = false,
        _ change: (inout WebhookDefinition) -> Void = { _ in }
    ) -> RetryPlan.Decision {
        RetryPlan.decide(
            outcome, id: Self.id, attempt: attempt, hadExtra: hadExtra, webhook: Samples.webhook("w", change))
    }

    func delay(_ decision: RetryPlan.Decision) -> Int64 {
        if case .retry(let after, false) = decision { return after }
        return -1
    }

    @Test(arguments: zip(1...9, [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]))
    func waitsAsLongAsThePlanSaysGiveOrTakeAFifth(_ attempt: Int, _ seconds: Int64) {
        var seen: Set<Int64> = []
        for step in 0..<200 {
            let id = Samples.item(step).id
            let decision = RetryPlan.decide(
                .broken, id: id, attempt: attempt, hadExtra: false, webhook: Samples.webhook())
            let delay = delay(decision)
            #expect((seconds * 800_000...seconds * 1_200_000).contains(delay))
            #expect(
                decision
                    == RetryPlan.decide(
                        .broken, id: id, attempt: attempt, hadExtra: false, webhook: Samples.webhook()))
            seen.insert(delay)
        }
        #expect(seen.count > 100)
    }

    @Test func theTenthFailureIsTheLast() {
        #expect(decide(.broken, 10) == .failed)
        #expect(delay(decide(.broken, 10, hadExtra: true)) > 0)
        #expect(decide(.broken, 11, hadExtra: true) == .failed)
    }

    @Test(arguments: [(200, true), (201, false), (204, false), (302, false), (304, false), (500, false)])
    func twoHundredAloneIsASuccess(_ status: Int, _ isSuccess: Bool) {
        #expect((decide(.status(status, retryAfter: nil)) == .sent) == isSuccess)
    }

    @Test(arguments: [(200, true), (201, true), (299, true), (300, false), (199, false)])
    func anyOfTwoHundredIsIfTheWebhookSaysSo(_ status: Int, _ isSuccess: Bool) {
        #expect((decide(.status(status, retryAfter: nil)) { $0.success = .any2xx } == .sent) == isSuccess)
    }

    @Test(arguments: [400, 401, 403, 404, 405, 409, 413, 422, 451, 499])
    func otherRefusalsAreFinalUnlessTheWebhookSaysOtherwise(_ status: Int) {
        #expect(decide(.status(status, retryAfter: nil)) == .failed)
        #expect(delay(decide(.status(status, retryAfter: nil)) { $0.retries4xx = true }) > 0)
    }

    @Test(arguments: [408, 425, 429, 301, 302, 500, 502, 503, 504, 599, 600])
    func temporaryRefusalsAreTriedAgain(_ status: Int) {
        #expect(delay(decide(.status(status, retryAfter: nil))) >= 4 * Self.second)
    }

    @Test func goneDisables() {
        #expect(decide(.status(410, retryAfter: nil)) == .disable)
        #expect(decide(.status(410, retryAfter: nil)) { $0.retries4xx = true } == .disable)
    }

    @Test func tooManyAndTimeOutsWaitAMinuteAtLeast() {
        #expect(delay(decide(.status(429, retryAfter: nil))) == 60 * Self.second)
        #expect(delay(decide(.timeout)) == 60 * Self.second)
        #expect(delay(decide(.timeout, 2)) >= 240 * Self.second)
        #expect(delay(decide(.status(429, retryAfter: 10))) == 60 * Self.second)
    }

    @Test func aReceiverMayAskForPatience() {
        #expect(delay(decide(.status(503, retryAfter: 120))) == 120 * Self.second)
        #expect(delay(decide(.status(503, retryAfter: 1))) < 7 * Self.second)
        #expect(delay(decide(.status(503, retryAfter: 10_000_000))) == 86_400 * Self.second)
        #expect(delay(decide(.status(503, retryAfter: .max))) == 86_400 * Self.second)
        #expect(delay(decide(.status(503, retryAfter: .min))) > 0)
    }

    @Test func aConnectionThatFailedFastIsTriedAtOnceAndOnceOnly() {
        #expect(decide(.unconnected(milliseconds: 999)) == .retry(after: 0, isExtra: true))
        #expect(delay(decide(.unconnected(milliseconds: 1000))) > 0)
        let second = delay(decide(.unconnected(milliseconds: 5), 2, hadExtra: true))
        #expect((4 * Self.second...6 * Self.second).contains(second))
    }

    @Test(
        arguments: [
            ("120", 120), ("0", 0), ("-1", nil), ("soon", nil), ("Sun, 22 Nov 2026 06:00:30 GMT", 30),
            ("Sun, 22 Nov 2026 05:00:00 GMT", 0), ("Sun, 32 Nov 2026 05:00:00 GMT", nil), (nil, nil),
            ("9223372036854775807", .max), ("9223372036854775808", .max),
            ("99999999999999999999999", .max), ("", nil), ("-9223372036854775809", nil), ("1e3", nil),
            ("Sunday, 22-Nov-26 06:00:30 GMT", 30), ("Sunday, 22-Nov-26 06:00:30", nil),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 0), ("Sunday, 22-Nov-2026 06:00:30 GMT", nil),
            ("Sunday, 22-Nov-76 06:00:00 GMT", 1_577_923_200), ("Monday, 22-Nov-77 06:00:00 GMT", 0),
            ("Sun Nov 22 06:00:30 2026", 30), ("Sun Nov  6 06:00:30 2026", 0),
            ("Sun Nov 22 25:00:30 2026", nil),
            ("Sun, 22 Nov 2026 -9223372036854775808:00:00 GMT", nil),
            ("Sun, 22 Nov 2026 06:-1:00 GMT", nil), ("Fri, 31 Dec 9999 23:59:60 GMT", 251_606_973_600),
        ] as [(String?, Int64?)])
    func retryAfterIsSecondsOrADate(_ header: String?, _ seconds: Int64?) {
        let now = Timestamp(seconds: 1_795_327_200)  // 2026-11-22T06:00:00Z
        #expect(RetryPlan.retryAfter(header, now: now) == seconds)
    }

    @Test func theBreakerOpensAtSeventyInAHundredOfTenCalls() {
        var breaker = Breaker()
        let now = Timestamp(seconds: 1_000_000)
        func note(_ success: Bool, _ times: Int, at time: Timestamp) -> [Bool] {
            (0..<times).map { _ in breaker.note(success: success, at: time) }
        }
        #expect(note(true, 3, at: now) == [false, false, false])
        #expect(note(false, 7, at: now) == [false, false, false, false, false, false, true])
        // Six minutes later those calls are forgotten.
        #expect(note(false, 1, at: now.adding(seconds: 360)) == [false])
        breaker.reset()
        #expect(note(false, 10, at: now).firstIndex(of: true) == 9)
    }

    @Test func successesKeepItClosed() {
        var breaker = Breaker()
        for second in 0..<1000 {
            let now = Timestamp(seconds: Int64(second))
            let opens = breaker.note(success: second % 10 < 4, at: now)
            #expect(!opens)
        }
    }
}
