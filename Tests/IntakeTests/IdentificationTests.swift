import Foundations
import Identity
import Payload
import Testing

@testable import Intake

private let issuer = Issuer(secret: [UInt8](repeating: 7, count: 32))
private let known = UUID(high: 0xaaaa, low: 0xbbbb)
private let survivor = UUID(high: 0xcccc, low: 0xdddd)

/// The profile that is made for a session.
private func made(_ session: String) -> UUID { withBytes(session) { issuer.profile(forSession: $0) } }

private struct Case {
    var session: String? = "s"
    var isNew = false
    var profile = ""
    var isProfileLess = false
    var isFixed = false

    func run<Result>(_ body: (Identification) -> Result) -> Result {
        withBytes(session ?? "") { text in
            withBytes(profile) { profile in
                body(
                    Identification(
                        sent: .init(
                            session: session == nil ? nil : text, isNewSession: isNew, profile: profile,
                            isProfileLess: isProfileLess, isFixed: isFixed)))
            }
        }
    }

    func begin(cached: UUID? = nil) -> Identification.Step {
        run { $0.begin(cached: cached, issuer: issuer) }
    }

    func decide(session: UUID? = nil, profile: UUID? = nil, settled: Bool = true) -> Identification.Decision {
        run { $0.decide(sessionProfile: session, profile: profile, settled: settled, issuer: issuer) }
    }
}

private func decided(_ profile: UUID?, _ basis: Submission.Basis, settled: Bool = true) -> Identification.Step
{
    .decided(.init(profile: profile, basis: basis, settled: settled))
}

@Test func aStaticIdComesBeforeEverything() {
    let id = "11112222-3333-4444-8555-666677778888"
    for isProfileLess in [false, true] {
        let step = Case(profile: id, isProfileLess: isProfileLess, isFixed: true).begin(cached: known)
        #expect(step == decided(UUID(id), .fixed))
    }
    guard case .decided(let named) = Case(profile: "customer 7", isFixed: true).begin() else {
        Issue.record("a static id needs no database")
        return
    }
    #expect(named.profile?.version == 5)
    #expect(
        Case(isFixed: true).begin(cached: known) == decided(known, .session), "no id: as any other source")
}

@Test func aProfileLessRequestIgnoresWhatIsSentAndKnown() {
    #expect(Case(profile: known.description, isProfileLess: true).begin(cached: known) == decided(nil, .none))
    #expect(Case(session: nil).begin() == decided(nil, .none))
}

@Test func aNewSessionGetsANewProfileWithoutAsking() {
    #expect(Case(isNew: true).begin() == decided(made("s"), .derived))
}

@Test func aNewSessionWithAProfileAsksForTheProfileAlone() {
    #expect(Case(isNew: true, profile: known.description).begin() == .ask(session: false, profile: known))
}

@Test func aKnownSessionsProfileWins() {
    #expect(Case(profile: survivor.description).begin(cached: known) == decided(known, .session))
    let asked = Case(profile: survivor.description)
    #expect(asked.begin() == .ask(session: true, profile: survivor))
    #expect(
        asked.decide(session: known, profile: survivor)
            == .init(profile: known, basis: .session, settled: true))
}

@Test func anUnknownSessionTakesTheKnownProfileAsItIsNow() {
    #expect(
        Case(profile: known.description).decide(profile: survivor)
            == .init(profile: survivor, basis: .known, settled: true))
}

@Test(arguments: [
    "", "nonsense", "11112222-3333-4444-8555-666677778888", "ffffffff-ffff-8fff-bfff-ffffffffffff",
])
func anIdThatWasNeverIssuedIsNeverAdopted(profile: String) {
    for settled in [true, false] {
        #expect(
            Case(profile: profile).decide(settled: settled)
                == .init(profile: made("s"), basis: .derived, settled: settled))
    }
}

@Test func anIssuedIdIsKnownWithoutAnyRow() {
    let issued = made("another session")
    for settled in [true, false] {
        #expect(
            Case(profile: issued.description.uppercased()).decide(settled: settled)
                == .init(profile: issued, basis: .known, settled: settled))
    }
}

@Test func aNameIsLookedUpUnderTheUUIDThatAStaticSourceMadeOfIt() {
    guard case .ask(_, let profile) = Case(profile: "customer 7").begin() else {
        Issue.record("expected a question")
        return
    }
    #expect(profile == withBytes("customer 7") { Issuer.fixed($0) })
}
