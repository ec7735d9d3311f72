import Foundations
import Identity

/// In which form what people are known by is kept, so that it is found however it is written.
struct IdentityNames: Sendable {
    private let kinds: [IdentityKind]
    private let primaryKey: String?
    private let country: String?

    init(_ configuration: Configuration) {
        kinds = configuration.identity.kinds
        primaryKey = configuration.primaryKey
        country = configuration.identity.country
    }

    /// The kept form first, then as it was written: the rules may have been others when it was kept.
    func forms(of value: String, kind name: String) -> [String] {
        let kind = kinds.first { $0.name == name } ?? IdentityKind(name, primaryKey: primaryKey)
        let kept = IdentityForm.normalize(value, kind.form, country: country)
        return [kept, kept == value ? nil : value].compactMap { $0 }
    }
}
