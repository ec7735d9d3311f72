import Foundations
import Payload

/// What the configuration says about identities and traits, prepared for the loader: never changed, replaced as a
/// whole when the configuration is read again.
package final class IdentityRules: Sendable {
    /// A kind of identity as the hot path needs it.
    package struct Kind: Sendable {
        package let name: String
        package let form: IdentityKind.Form
        package let several: Bool
    }

    /// One source's part.
    final class SourceRules: Sendable {
        let id: [UInt8]
        let points: [Point]
        let mappings: [Mapping]
        let lookup: Asking?

        init(id: [UInt8], points: [Point], mappings: [Mapping], lookup: Asking?) {
            (self.id, self.points, self.mappings, self.lookup) = (id, points, mappings, lookup)
        }
    }

    /// A path with its names as bytes.
    struct Path: Sendable {
        let root: ValuePath.Root
        let names: [[UInt8]]

        init(_ path: ValuePath) {
            root = path.root
            names = path.names.map { Array($0.utf8) }
        }
    }

    struct Point: Sendable {
        let kind: Int
        let path: Path
        let activities: [Pattern]
        let within: Int64
        let trait: String?
        let country: String?
    }

    struct Mapping: Sendable {
        enum Value: Sendable {
            case from(Path)
            case constant([UInt8])
        }

        let trait: String
        let operation: TraitMapping.Operation
        let value: Value
        let activities: [Pattern]
        let content: TraitRule.Content
    }

    struct Asking: Sendable {
        let url: URLTemplate
        let activities: [Pattern]
    }

    package let kinds: [Kind]
    /// How traits are kept when two persons turn out to be one.
    let traitRules: [String: TraitRule]
    private let sources: [SourceRules]
    /// Whom sources ask outside, by source.
    let lookups: [String: OutsideLookup]
    let country: String?

    package static let none = IdentityRules(Configuration())

    package init(_ configuration: Configuration) {
        var kinds = configuration.identity.kinds
        for point in configuration.sources.flatMap(\.identify)
        where !kinds.contains(where: { $0.name == point.kind }) {
            kinds.append(IdentityKind(point.kind, primaryKey: configuration.primaryKey))
        }
        self.kinds = kinds.map { Kind(name: $0.name, form: $0.form, several: $0.several) }
        let rules = Dictionary(configuration.identity.traits.map { ($0.name, $0) }) { first, _ in first }
        traitRules = rules
        country = configuration.identity.country
        lookups = Dictionary(
            configuration.sources.compactMap { source in source.lookup.map { (source.id, $0) } }
        ) { first, _ in first }
        sources = configuration.sources.compactMap { source in
            if source.identify.isEmpty, source.traits.isEmpty, source.lookup == nil { return nil }
            return SourceRules(source, kinds, rules, country: configuration.identity.country)
        }
    }

    /// Nothing is to be looked for in any event.
    package var isEmpty: Bool { sources.isEmpty }

    func rules(of source: Bytes) -> SourceRules? {
        sources.first { $0.id.withUnsafeBytes { $0.equals(source) } }
    }

    package func kind(named name: String) -> Int? { kinds.firstIndex { $0.name == name } }
}

extension IdentityRules.SourceRules {
    fileprivate convenience init(
        _ source: Source, _ kinds: [IdentityKind], _ rules: [String: TraitRule], country: String?
    ) {
        let points = source.identify.map { point in
            IdentityRules.Point(
                kind: kinds.firstIndex { $0.name == point.kind } ?? 0, path: IdentityRules.Path(point.from),
                activities: point.activities.map(Pattern.init(activity:)), within: point.within,
                trait: point.trait, country: point.country ?? source.country ?? country)
        }
        let mappings = source.traits.map { mapping in
            let value: IdentityRules.Mapping.Value =
                switch mapping.value {
                case .from(let path): .from(IdentityRules.Path(path))
                case .constant(let json): .constant(Array(json.utf8))
                case .nothing: .constant(Array("null".utf8))
                }
            return IdentityRules.Mapping(
                trait: mapping.trait, operation: mapping.operation, value: value,
                activities: mapping.activities.map(Pattern.init(activity:)),
                content: rules[mapping.trait]?.content ?? .any)
        }
        let asking = source.lookup.map {
            IdentityRules.Asking(
                url: URLTemplate($0.url), activities: $0.activities.map(Pattern.init(activity:)))
        }
        self.init(id: Array(source.id.utf8), points: points, mappings: mappings, lookup: asking)
    }
}
