import Foundations
import Spool
import Testing

@testable import Loader

/// Narrowing down what crashed the server.
struct SuspicionTests {
    private func at(_ event: Int) -> LoadPosition {
        LoadPosition(record: Position(rawValue: 7 << 32), part: event)
    }

    /// Plays a server that crashes whenever it tries `crasher`; returns the number of crashes and what was given up.
    private func play(events: Int, crasher: Int) -> (crashes: Int, found: Int?) {
        var position = 0
        var note: Suspicion?
        var crashes = 0
        while position < events {
            let suspicion = note
            if let suspicion, suspicion.isFound { return (crashes, suspicion.begin.part) }
            let trial =
                suspicion?.trial ?? Suspicion(begin: at(position), events: events - position, crashes: 0)
            if (position..<position + trial.events).contains(crasher) {
                crashes += 1
                note = Suspicion(begin: trial.begin, events: trial.events, crashes: trial.crashes + 1)
            } else {
                position += trial.events
                note = suspicion?.without(first: trial.events, now: at(position))
            }
        }
        return (crashes, nil)
    }

    @Test(arguments: [1, 2, 3, 10, 5000])
    func oneCrasherIsFoundWithFewCrashes(events: Int) {
        let most = 2 + (Int.bitWidth - events.leadingZeroBitCount) + 1
        for crasher in Set([0, events / 3, events / 2, events - 1]) {
            let (crashes, found) = play(events: events, crasher: crasher)
            #expect(found == crasher)
            #expect(crashes <= most, "\(crasher) of \(events)")
        }
    }

    @Test func whatCrashedOnceIsTriedAgainWhole() {
        let once = Suspicion(begin: at(3), events: 100, crashes: 1)
        #expect(once.trial == once)
        #expect(!once.isFound)
        #expect(once.without(first: 100, now: at(103)) == nil)
    }

    @Test func whatCrashedTwiceIsHalved() {
        let twice = Suspicion(begin: at(3), events: 101, crashes: 2)
        #expect(twice.trial == Suspicion(begin: at(3), events: 50, crashes: 1))
        #expect(twice.without(first: 50, now: at(53)) == Suspicion(begin: at(53), events: 51, crashes: 1))
    }

    @Test func oneEventIsGivenUpOnlyWhenItCrashedAloneForTheSecondTime() {
        #expect(!Suspicion(begin: at(0), events: 1, crashes: 1).isFound)
        #expect(Suspicion(begin: at(0), events: 1, crashes: 2).isFound)
        #expect(!Suspicion(begin: at(0), events: 2, crashes: 9).isFound)
    }
}
