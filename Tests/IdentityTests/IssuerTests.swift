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
