import Foundation
import TestSupport
import Testing

/// What the client said, when it arrived, and the time that everything else uses (contract, section 6).
@Suite struct TimeTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    /// The three times of an event in seconds since 1970.
    private func times(_ marker: String) throws -> (said: Double?, received: Double, corrected: Double) {
        _ = try shop.event(marker)
        let row = try shop.database.rows(
            """
            select extract(epoch from client_time), extract(epoch from received_at), extract(epoch from time)
            from event where properties->>'m' = $1
            """, marker)[0].map { $0.flatMap { Double($0) } }
        return (row[0], try #require(row[1]), try #require(row[2]))
    }

    private static let moment = 1_767_323_045.0  // 2026-01-02T03:04:05Z

    @Test(arguments: [
        (#"{"create":"2026-01-02T03:04:05Z"}"#, 0), (#""2026-01-02T03:04:05Z""#, 0),
        (#""2026-01-02T03:04:05.250Z""#, 0.25), (#""2026-01-02T05:04:05+02:00""#, 0),
        (#""2026-01-02 03:04:05""#, 0),
        (#""2026-01-02T03:04:05""#, 0), ("1767323045", 0), ("1767323045.25", 0.25), ("1767323045250", 0.25),
        (#""1767323045""#, 0), (#""1767323045250""#, 0.25), (#"{"create":1767323045}"#, 0),
        (#""2026-01-02""#, -11045), (#""2026-01-01T22:04:05-05:00""#, 0),
    ])
    func whatTheClientSaidIsKept(_ time: String, _ offset: Double) throws {
        let marker = unique("m")
        let sent = Date().timeIntervalSince1970
        #expect(try shop.track(marker: marker, event: #""time":\#(time)"#)["warnings"] == [])
        let times = try times(marker)
        #expect(times.said == Self.moment + offset)
        #expect(times.corrected == Self.moment + offset)
        #expect(abs(times.received - sent) < 10)
    }

    @Test func withoutATimeItIsTheArrival() throws {
        let marker = unique("m")
        _ = try shop.track(marker: marker)
        let times = try times(marker)
        #expect(times.said == nil)
        #expect(times.corrected == times.received)
    }

    @Test(arguments: [#""yesterday""#, "true", "[1]", #"{"create":"2026-13-45"}"#, "1e400", #""""#, "-1e30"])
    func aTimeThatIsNoneIsWarnedOfAndTheArrivalIsUsed(_ time: String) throws {
        let marker = unique("m")
        #expect(try shop.track(marker: marker, event: #""time":\#(time)"#)["warnings"]?.list?.count == 1)
        let times = try times(marker)
        #expect(times.corrected == times.received)
    }

    @Test func theFutureIsClamped() throws {
        let marker = unique("m")
        _ = try shop.track(marker: marker, event: #""time":"2099-01-01T00:00:00Z""#)
        let times = try times(marker)
        #expect(abs(times.corrected - times.received - 300) < 0.001)
        #expect(times.said == 4_070_908_800)
    }

    @Test(arguments: [-7200.0, 5400.0])
    func aSkewedClockIsCorrectedBySentAt(_ skew: Double) throws {
        let marker = unique("m")
        let device = Date().timeIntervalSince1970 + skew
        _ = try shop.track(
            marker: marker, #""sentAt":\#(Int(device * 1000))"#,
            event: #""time":\#(Int((device - 60) * 1000))"#)
        let times = try times(marker)
        #expect(abs(times.corrected - (times.received - 60)) < 5)
        #expect(abs(try #require(times.said) - (device - 60)) < 0.01)
    }

    @Test func aSkewedClockIsCorrectedByTheRequestsOwnClock() throws {
        let (marker, device) = (unique("m"), Date().addingTimeInterval(-7200))
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let said = Int(device.timeIntervalSince1970) - 60
        let answer = try shop.server.post(
            "/track",
            #"{"source":{"id":"shop-web"},"events":[{"type":"a","time":\#(said),"properties":{"m":"\#(marker)"}}]}"#,
            [("Date", formatter.string(from: device))])
        #expect(answer.status == 200)
        let times = try times(marker)
        #expect(abs(times.corrected - (times.received - 60)) < 5)
    }

    @Test func oneDevicesEventsAreNeverReordered() throws {
        let session = unique("s")
        let skew = -3600.0
        var markers: [String] = []
        for step in 0..<6 {
            let marker = unique("m")
            markers.append(marker)
            let device = Date().timeIntervalSince1970 + skew
            // The way of each request takes another time: the clock it was sent at jitters by up to 40 s.
            let sentAt = device - Double((step * 37) % 41)
            let said = Int((device - 300 + Double(step)) * 1000)
            _ = try shop.track(
                marker: marker, #""session":{"id":"\#(session)"},"sentAt":\#(Int(sentAt * 1000))"#,
                event: #""time":\#(said)"#)
        }
        let corrected = try markers.map { try times($0).corrected }
        #expect(corrected == corrected.sorted())
    }

    @Test func arrivalTimesNeverGoBack() throws {
        let markers = (0..<20).map { _ in unique("m") }
        for marker in markers { _ = try shop.track(marker: marker) }
        let received = try markers.map { try times($0).received }
        #expect(received == received.sorted())
    }
}
