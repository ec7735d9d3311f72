import Foundations
import Testing

@testable import ConfigurationFile

/// Identification points, traits and look-ups in the file.
struct IdentityReaderTests {
    private func source(_ text: String) throws -> Source {
        try #require(try read("sources: [{id: a, kind: web, \(text)}]").configuration.sources.first)
    }

    private func mistakes(_ text: String) -> [String] {
        do {
            _ = try read(text)
            return []
        } catch {
            return error.lines
        }
    }

    @Test func aSinglePointIsAListOfOne() throws {
        let single = try source("identify: {by: voucher_id, from: properties.voucher_id}").identify
        #expect(single == [IdentityPoint(kind: "voucher_id", from: ValuePath(.properties, ["voucher_id"]))])
        #expect(single[0].within == 30 * 86_400_000_000 && single[0].trait == "voucher_id")
        #expect(try source("identify: [{by: voucher_id, from: properties.voucher_id}]").identify == single)
    }

    @Test func aPointSaysAllThereIs() throws {
        let text =
            "{by: phone, from: context.customer.phone, activity: Sign Up*, within: 2d, trait: private.phone, country: de}"
        var expected = IdentityPoint(kind: "phone", from: ValuePath(.context, ["customer", "phone"]))
        expected.activities = ["sign-up*"]
        expected.within = 2 * 86_400_000_000
        expected.trait = "private.phone"
        expected.country = "DE"
        #expect(try source("identify: \(text)").identify == [expected])
        #expect(
            try source("identify: {by: email, from: traits.email, trait: false}").identify[0].trait == nil)
    }

    @Test func everyOperationReadsItsValue() throws {
        let text = """
            traits: [{set: company, from: properties.company, activity: sign-up}, {set_once: first, value: 7},
              {append: tags, value: "a\\"b"}, {increment: visits}, {increment: spent, from: properties.total},
              {increment: half, by: 0.5}, {unset: company}, {set: private.vip, value: true}]
            """
        let properties = { (name: String) in TraitMapping.Value.from(ValuePath(.properties, [name])) }
        var company = TraitMapping(.set, "company", properties("company"))
        company.activities = ["sign-up"]
        #expect(
            try source(text).traits == [
                company, TraitMapping(.setOnce, "first", .constant("7")),
                TraitMapping(.append, "tags", .constant(#""a\"b""#)),
                TraitMapping(.increment, "visits", .constant("1")),
                TraitMapping(.increment, "spent", properties("total")),
                TraitMapping(.increment, "half", .constant("0.5")), TraitMapping(.unset, "company", .nothing),
                TraitMapping(.set, "private.vip", .constant("true")),
            ])
    }

    @Test func aLookUpReadsUserAndPasswordInBothForms() throws {
        let url = #"url: "https://crm.example/who?v={properties.v}""#
        for basic in [#""u:p:q""#, #"{user: u, password: "p:q"}"#] {
            let lookup = try #require(
                try source("lookup: {\(url), basic: \(basic), timeout: 2s, allow_networks: [127.0.0.0/8]}")
                    .lookup)
            #expect(lookup.user == "u" && lookup.password == "p:q" && lookup.timeout == 2_000_000)
            #expect(lookup.allowNetworks.count == 1)
        }
    }

    @Test func kindsAndTraitsHaveRules() throws {
        let text = """
            country: in
            primary_key: member
            identities: [{kind: member, form: lower}, {kind: loyalty, several: false}]
            traits: [{name: company, merge: longest, type: text}]
            sources: [{id: a, kind: web, identify: [{by: member, from: properties.m}, {by: loyalty, from: properties.l}]}]
            """
        let (configuration, warnings) = try read(text)
        #expect(warnings.isEmpty)
        let identity = configuration.identity
        #expect(identity.country == "IN")
        #expect(
            identity.kinds == [
                IdentityKind("member", form: .lower, several: false),
                IdentityKind("loyalty", form: .text, several: false),
            ])
        #expect(identity.traits.map(\.merge) == [.longest] && identity.traits.map(\.content) == [.text])
    }

    @Test(arguments: [
        ("identify: {by: email, from: properties.email, activty: x}", #"did you mean "activity"?"#),
        ("identify: {by: email}", "sources[0].identify has no from"),
        ("identify: {by: email, from: propertes.email}", #"did you mean "properties.email"?"#),
        ("identify: {by: static, from: properties.id}", "is reserved"),
        ("identify: email", "sources[0].identify is not a mapping"),
        ("identify: {by: phone, from: properties.p, country: XX}", "is no country that is known"),
        ("traits: {from: properties.a}", "does not say what it does"),
        ("traits: {set: a, append: b, value: 1}", "found set and append"),
        ("traits: {set: a}", "has no value"),
        ("traits: {unset: a, value: 1}", "means nothing to unset"),
        ("traits: {increment: a, by: much}", "is no number"),
        ("traits: {set: a.b, value: 1}", "is no trait's name"),
        ("traits: {set: private, value: 1}", "is no trait's name"),
        ("lookup: {url: ftp://x}", "is no URL"),
        (#"lookup: {url: "https://x/{who}"}"#, "has a place that cannot be filled in"),
        ("lookup: {url: https://x, basic: secret}", "a value that is not shown"),
        ("country: Germany", "is no country that is known"),
    ])
    func mistakesAreNamed(_ text: String, _ expected: String) {
        let lines = mistakes("sources: [{id: a, kind: web, \(text)}]")
        #expect(lines.count == 1 && lines[0].contains(expected), "\(lines)")
    }

    @Test func aKindThatNobodyUsesIsMostLikelyMisspelt() throws {
        let text = """
            identities: [{kind: loyalti, several: false}]
            sources: [{id: a, kind: web, identify: {by: loyalty, from: properties.l}}]
            """
        #expect(try read(text).warnings.contains { $0.contains(#"did you mean "loyalty"?"#) })
    }
}
