import Foundations

/// One event on its way through a summary.
struct Visit {
    let facts: EventFacts
    let key: EventKey
    let hash: UInt64
    /// Numbers the events that this copy of the summary has observed.
    let serial: UInt64
    /// Among the latest events; nil: it is older than those.
    let rank: Int?
    let moves: UInt64
    private var made: EventMark?

    init(_ facts: EventFacts, hash: UInt64, serial: UInt64, rank: Int?, moves: UInt64) {
        self.facts = facts
        key = facts.key
        self.hash = hash
        self.serial = serial
        self.rank = rank
        self.moves = moves
    }

    /// Made only when something is seen for the first time.
    var mark: EventMark {
        mutating get {
            if let made { return made }
            let mark = EventMark(facts)
            made = mark
            return mark
        }
    }
}

/// A place in the properties on the way through them.
struct Place {
    /// Of the whole path.
    var hash: UInt64
    /// By which paths of a group give way to each other: what is in one object stays and goes together, about.
    private(set) var rank: UInt64
    /// Of the path with any names but the first one.
    private(set) var group: UInt64
    var depth: Int
    /// Tells the many objects at one path apart: by their places in the arrays and maps around them.
    var instance: UInt64
    /// What the names on the way say of the values.
    var hint: PersonalKinds
    /// How the path goes on from its parent's, made only for a new one.
    var parent: UInt64

    static let root = Place(hash: 0, rank: 0, group: 0, depth: 0, instance: 0, hint: [], parent: 0)

    /// Puts it into a group, by its hash and what it is in its parent: `kind` is none of a member with a name.
    mutating func join(_ parent: Place, kind: UInt64?, _ limits: SummaryLimits) {
        (group, rank) = PathGroup.of(
            hash, depth: depth, kind: kind, in: (parent.group, parent.rank), limits)
    }

    /// Takes a place from the path's node.
    mutating func join(_ node: PathNode) {
        (group, rank, hint) = (node.group, node.rank, node.hint)
    }
}
