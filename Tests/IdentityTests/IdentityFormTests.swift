import Foundations
import Testing

@testable import Identity

/// The one form of what people type.
struct IdentityFormTests {
    @Test(arguments: [
        ("  Ada@Example.COM ", "ada@example.com"), ("\u{a0}\u{c9}va@x.hu", "\u{e9}va@x.hu"),
        ("E\u{301}va@x.hu", "\u{e9}va@x.hu"), ("a@b@c", nil), ("@b", nil), ("a@", nil), ("ada", nil),
        ("a b@c.de", nil), ("", nil), ("   ", nil), ("a\u{0}@b.de", nil),
    ])
    func addresses(_ text: String, _ expected: String?) {
        #expect(IdentityForm.normalize(text, .email) == expected)
    }

    @Test func tooLongIsNone() {
        #expect(IdentityForm.normalize(String(repeating: "a", count: 256), .text)?.utf8.count == 256)
        #expect(IdentityForm.normalize(String(repeating: "a", count: 257), .text) == nil)
        #expect(IdentityForm.normalize(String(repeating: "\u{e9}", count: 129), .text) == nil)
        #expect(IdentityForm.normalize("ABC \u{212b}", .text) == "ABC \u{c5}")
        #expect(IdentityForm.normalize("ABC", .lower) == "abc")
    }

    @Test(arguments: [
        ("+91 98200 12345", nil, "+919820012345"), ("0091-98200-12345", nil, "+919820012345"),
        ("098200 12345", "IN", "+919820012345"), ("98200 12345", "in", "+919820012345"),
        ("919820012345", "IN", "+919820012345"), ("98200 12345", nil, "9820012345"),
        ("(212) 555-0123", "US", "+12125550123"), ("1 212 555 0123", "US", "+12125550123"),
        ("011 44 20 7946 0018", "US", "+442079460018"), ("020 7946 0018", "GB", "+442079460018"),
        ("+44 (0)20 7946 0018", nil, "+442079460018"), ("030 901820", "DE", "+4930901820"),
        ("06 1 234 5678", "HU", "+3612345678"), ("06 6982", "IT", "+39066982"),
        ("8 912 345-67-89", "RU", "+79123456789"), ("\u{661}\u{662}\u{663}\u{664}\u{665}", nil, "12345"),
        ("12", nil, nil), ("phone", "IN", nil), ("98200 1234", "IN", nil), ("++91 98200 12345", nil, nil),
        ("+91 98200 12345 678 901", nil, nil), ("1+2", nil, nil),
    ])
    func telephoneNumbers(_ text: String, _ country: String?, _ expected: String?) {
        #expect(IdentityForm.normalize(text, .phone, country: country) == expected)
    }

    @Test(arguments: ["Ada@X.de", "+91 98200 12345", "098200 12345", "  \u{130}stanbul ", "e\u{301}"])
    func theFormOfAFormIsItself(_ text: String) {
        for form in IdentityKind.Form.allCases {
            guard let once = IdentityForm.normalize(text, form, country: "IN") else { continue }
            #expect(IdentityForm.normalize(once, form, country: "IN") == once, "\(form)")
        }
    }
}
