import Testing

@testable import HTTP

@Suite struct TimerWheelTests {
    private func due(_ wheel: inout TimerWheel, _ now: UInt64) -> [Int] {
        var out: [Int] = []
        wheel.advance(to: now, into: &out)
        return out.sorted()
    }

    @Test func anEntryComesOutAtItsDeadlineAndNotBefore() {
        var wheel = TimerWheel(now: 1000)
        wheel.set(3, deadline: 1500)
        #expect(due(&wheel, 1400) == [])
        #expect(due(&wheel, 1499) == [])
        #expect(due(&wheel, 1600) == [3])
        #expect(due(&wheel, 9999) == [])
    }

    @Test func anEarlierDeadlineMovesAnEntryAndALaterOneDoesNot() {
        var wheel = TimerWheel(now: 0)
        wheel.set(1, deadline: 5000)
        wheel.set(1, deadline: 1000)
        wheel.set(1, deadline: 9000)
        #expect(due(&wheel, 1100) == [1])
        #expect(due(&wheel, 9999) == [])
    }

    @Test func aRemovedEntryDoesNotComeOut() {
        var wheel = TimerWheel(now: 0)
        for entry in 0..<5 { wheel.set(entry, deadline: 1000) }
        wheel.remove(4)
        wheel.remove(0)
        wheel.remove(2)
        wheel.remove(2)
        #expect(due(&wheel, 2000) == [1, 3])
    }

    @Test func aFarDeadlineComesOutEarlyRatherThanNever() {
        var wheel = TimerWheel(now: 0)
        wheel.set(7, deadline: 1_000_000)
        #expect(due(&wheel, 50_000) == [])
        #expect(due(&wheel, 52_000) == [7])
    }

    @Test func aLongPauseMissesNothing() {
        var wheel = TimerWheel(now: 0)
        for entry in 0..<1000 { wheel.set(entry, deadline: UInt64(entry) * 50) }
        #expect(due(&wheel, 10_000_000).count == 1000)
        wheel.set(5, deadline: 10_000_100)
        #expect(due(&wheel, 10_000_300) == [5])
    }
}
