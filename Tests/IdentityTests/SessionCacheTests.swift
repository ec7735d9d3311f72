import Foundations
import Testing

@testable import Identity

struct SessionCacheTests {
    private func with<Result>(_ text: String, _ body: (Bytes) -> Result) -> Result {
        var text = text
        return text.withUTF8 { body(Bytes($0)) }
    }

    private let now = Timestamp(seconds: 1000)
    private let a = UUID(high: 1, low: 1)
    private let b = UUID(high: 2, low: 2)

    @Test func whatIsRememberedIsFoundForItsLifetime() {
        let cache = SessionCache(capacity: 100, lifetime: 60)
        with("s") { cache.remember(session: $0, profile: a, now: now) }
        #expect(with("s") { cache.profile(ofSession: $0, now: now.adding(seconds: 60)) } == a)
        #expect(with("s") { cache.profile(ofSession: $0, now: now.adding(seconds: 61)) } == nil)
        #expect(with("t") { cache.profile(ofSession: $0, now: now) } == nil)
    }

    @Test func anAnswerDoesNotReplaceWhatIsStored() {
        let cache = SessionCache(capacity: 100)
        var entry = SessionCache.Entry(profile: a)
        entry.seen = 5
        with("s") { cache.store(session: $0, entry, now: now) }
        with("s") { cache.remember(session: $0, profile: b, now: now) }
        #expect(with("s") { cache.entry(ofSession: $0)?.profile } == a)
        #expect(with("s") { cache.entry(ofSession: $0)?.seen } == 5)
    }

    /// Else the loader would take the session's row, which has no profile, for one that has this.
    @Test func aProfileForASessionWithoutOneHasToBeStoredYet() {
        let cache = SessionCache(capacity: 100)
        var entry = SessionCache.Entry(profile: nil)
        entry.seen = 5
        with("s") { cache.store(session: $0, entry, now: now) }
        with("s") { cache.remember(session: $0, profile: b, now: now) }
        #expect(with("s") { cache.entry(ofSession: $0)?.profile } == b)
        #expect(with("s") { cache.entry(ofSession: $0)?.seen } == 0)
    }

    @Test func itIsBoundedAndForgetsTheLeastUsed() {
        let cache = SessionCache(capacity: 256)
        for i in 0..<10_000 { with("s\(i)") { cache.remember(session: $0, profile: a, now: now) } }
        let left = (0..<10_000).filter { i in with("s\(i)") { cache.entry(ofSession: $0) } != nil }
        #expect(left.count <= 256)
        #expect(left.count > 200)
        #expect(left.allSatisfy { $0 > 5000 })
    }

    @Test func allIsForgottenAtOnce() {
        let cache = SessionCache(capacity: 100)
        with("s") { cache.remember(session: $0, profile: a, now: now) }
        cache.removeAll()
        #expect(with("s") { cache.entry(ofSession: $0) } == nil)
    }
}
