import Foundations

/// An event whose id came before from the same source.
struct Repeat {
    enum Kind {
        /// With the same activity and properties: it is stored already.
        case duplicate
        /// With others: it is quarantined.
        case conflict

        /// The word that stands alone in `warnings`.
        var name: StaticString {
            switch self {
            case .duplicate: "duplicate"
            case .conflict: "conflict"
            }
        }
    }

    /// Its number in the request.
    let event: Int
    let kind: Kind
}
