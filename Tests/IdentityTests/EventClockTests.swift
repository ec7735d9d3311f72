import Foundations
import Payload
import Testing

/// Three clocks: the client's for the event, the client's when it sent, and ours.
struct EventClockTests {
    private let received = Timestamp(seconds: 1_790_000_000)
    private static let second: Int64 = 1_000_000

    @Test(
        arguments: [
            // What is to be added when the client's clock is ahead by so much, and what was added before.
            (0, nil, 0), (2_000_000, nil, 0), (-2_000_000, nil, 0), (2_000_001, nil, -2_000_001),
            (-3_600_000_000, nil, 3_600_000_000), (-3_610_000_000, 3_600_000_000, 3_600_000_000),
            (-3_661_000_000, 3_600_000_000, 3_661_000_000), (1_000_000, 3_600_000_000, 0),
            (59_000_000, 0, 0), (61_000_000, 0, -61_000_000),
        ] as [(Int64, Int64?, Int64)])
    func theFirstCorrectionHoldsWithinTheJitter(ahead: Int64, before: Int64?, skew: Int64) {
        let sentAt = received.adding(microseconds: ahead)
        #expect(EventClock.skew(sentAt: sentAt, receivedAt: received, before: before) == skew)
    }

    @Test func withoutAClockNothingChanges() {
        #expect(EventClock.skew(sentAt: nil, receivedAt: received, before: nil) == 0)
        #expect(EventClock.skew(sentAt: nil, receivedAt: received, before: 7) == 7)
    }

    /// Whatever a client says, no sum overflows, and no event lies further ahead than five minutes.
    @Test func absurdClocksAreNotBelieved() {
        let ends: [Int64] = [.min, .min + 1, -9_000_000_000_000_000_000, 0, 9_000_000_000_000_000_000, .max]
        for sentAt in ends {
            for before in ends {
                _ = EventClock.skew(
                    sentAt: Timestamp(microseconds: sentAt), receivedAt: received, before: before / 1000)
            }
            let skew = EventClock.skew(
                sentAt: Timestamp(microseconds: sentAt), receivedAt: received, before: nil)
            #expect(skew.magnitude <= 3_155_760_000_000_000)
            for said in ends {
                let time = EventClock.corrected(
                    said: Timestamp(microseconds: said), skew: skew, receivedAt: received)
                #expect(time <= received.adding(microseconds: EventClock.future))
            }
        }
    }

    @Test func oneDevicesEventsKeepTheirOrder() {
        var skew: Int64?
        var last = Timestamp(microseconds: .min)
        var random = SystemRandomNumberGenerator()
        for i in 0..<100 {
            // The device is two hours behind; the network takes up to 30 s.
            let device = received.adding(seconds: Int64(i) - 7200)
            let delay = Int64.random(in: 0..<30 * Self.second, using: &random)
            let arrived = device.adding(seconds: 7200).adding(microseconds: delay)
            skew = EventClock.skew(sentAt: device, receivedAt: arrived, before: skew)
            let time = EventClock.corrected(said: device, skew: skew ?? 0, receivedAt: arrived)
            #expect(time > last)
            last = time
        }
    }
}
