/// What kinds of personal values were found in a parameter: none of its values is kept then.
package struct PersonalKinds: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let email = PersonalKinds(rawValue: 1)
    package static let card = PersonalKinds(rawValue: 2)
    package static let phone = PersonalKinds(rawValue: 4)
    package static let iban = PersonalKinds(rawValue: 8)
    /// Passwords, keys, tokens of any kind.
    package static let token = PersonalKinds(rawValue: 16)

    /// `email`, `card`, `phone`, `iban`, `token`.
    package var names: [String] {
        let all: [(PersonalKinds, String)] = [
            (.email, "email"), (.card, "card"), (.phone, "phone"), (.iban, "iban"), (.token, "token"),
        ]
        return all.filter { contains($0.0) }.map { $0.1 }
    }
}
