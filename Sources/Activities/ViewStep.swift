/// One step down from an event's properties to the values of a parameter, as far as SQL goes it.
package enum ViewStep: Hashable, Sendable {
    case member(ExactText)
    /// A member whose name is so long that only its beginning is known, and 32 hex digits of its SHA-256.
    case longMember(beginning: String, digest: String)
    /// All elements of an array.
    case elements
    /// All members of a map.
    case anyMember

    init(_ segment: ParameterPath.Segment) {
        switch segment {
        case .name(let name): self = .member(ExactText(name))
        case .long(let beginning, let digest): self = .longMember(beginning: beginning, digest: digest)
        case .element: self = .elements
        case .anyKey: self = .anyMember
        }
    }

    /// As it is kept: `.name`, `~DIGEST` and the beginning, `[]`, `{*}`.
    var text: String {
        switch self {
        case .member(let name): "." + name.text
        case .longMember(let beginning, let digest): "~" + digest + beginning
        case .elements: "[]"
        case .anyMember: "{*}"
        }
    }

    init(text: String) {
        switch text {
        case "[]": self = .elements
        case "{*}": self = .anyMember
        case _ where text.hasPrefix("~"):
            let scalars = text.unicodeScalars.dropFirst()
            self = .longMember(
                beginning: String(scalars.dropFirst(32)), digest: String(scalars.prefix(32)))
        default: self = .member(ExactText(String(text.unicodeScalars.dropFirst())))
        }
    }

    fileprivate var segment: ParameterPath.Segment {
        switch self {
        case .member(let name): .name(name.text)
        case .longMember(let beginning, let digest): .long(beginning: beginning, digest: digest)
        case .elements: .element
        case .anyMember: .anyKey
        }
    }
}

extension [ViewStep] {
    init(_ path: ParameterPath) { self = path.segments.map { ViewStep($0) } }

    /// As a name that people read, without `[]`: `items.price`. Others may have the same one.
    var name: String {
        compactMap { step in
            switch step {
            case .member(let name): name.text
            case .longMember(let beginning, _): beginning
            case .elements: nil
            case .anyMember: "{*}"
            }
        }.joined(separator: ".")
    }

    /// As a path that nothing else has: `items[].price`.
    var path: String { ParameterPath(map(\.segment)).text }
}
