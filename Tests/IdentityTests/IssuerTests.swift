import Foundations
import Testing

@testable import Identity

struct IssuerTests {
    private let issuer = Issuer(secret: [UInt8](0..<48))
    private let foreign = Issuer(secret: [UInt8](1..<49))

    private func profile(_ session: String, _ issuer: Issuer) -> UUID {
        var session = session
        return session.withUTF8 { issuer.profile(forSession: Bytes($0)) }
    }

    @Test func theSameSessionHasTheSameProfileForEver() {
        #expect(profile("abc", issuer) == profile("abc", Issuer(secret: [UInt8](0..<48))))
        #expect("\(profile("abc", issuer))" == "\(profile("abc", issuer))")
        #expect(profile("abc", issuer) != profile("abd", issuer))
        #expect(profile("abc", issuer) != profile("abc", foreign))
    }

    @Test(arguments: ["", "a", "b", "c", "0b6d58f7-6d05-4f6b-8f3e-5b4f3f2e9a10", "ünïcode"])
    func whatWasIssuedIsCertified(session: String) {
        let id = profile(session, issuer)
        #expect(id.version == 8)
        #expect(id.low >> 62 == 0b10)
        #expect(issuer.issued(id))
        #expect(!foreign.issued(id))
    }

    @Test func oneBitLessIsNoCertificate() {
        let id = profile("abc", issuer)
        for bit in 0..<64 {
            #expect(!issuer.issued(UUID(high: id.high ^ 1 << UInt64(bit), low: id.low)), "high bit \(bit)")
            #expect(!issuer.issued(UUID(high: id.high, low: id.low ^ 1 << UInt64(bit))), "low bit \(bit)")
        }
    }

    @Test func aRandomIDIsNotIssued() {
        for version in [1, 4, 7, 8] as [UInt64] {
            #expect(
                !issuer.issued(UUID(.random(in: .min ... .max), .random(in: .min ... .max), version: version))
            )
        }
    }

    @Test func aFixedIDIsTheUUIDThatWasSentOrMadeOfIt() throws {
        func fixed(_ text: String) -> UUID {
            var text = text
            return text.withUTF8 { Issuer.fixed(Bytes($0)) }
        }
        let id = "6E9B2CD0-0c3b-4b1e-9a53-0d8b1c5f7a11"
        #expect(fixed(id) == UUID(id))
        #expect(fixed("customer 7") == fixed("customer 7"))
        #expect(fixed("customer 7") != fixed("customer 8"))
        #expect(fixed("customer 7").version == 5)
    }
}

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
