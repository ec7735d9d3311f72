import Foundations

/// Which profiles become aliases of which in one batch. What is merged into a profile that is merged itself goes
/// all the way, so that no alias points at an alias, and none at itself: two sessions that were each answered the
/// other's profile end at one.
struct Merges {
    struct Merge {
        let loser: UUID
        let winner: UUID
        let at: Timestamp
    }

    private var targets: [UUID: (winner: UUID, at: Timestamp)] = [:]

    mutating func merge(_ loser: UUID, into winner: UUID, at: Timestamp) {
        let (loser, winner) = (target(of: loser), target(of: winner))
        if loser != winner { targets[loser] = (winner, at) }
    }

    /// What an id is after all merges: itself, if it was not merged.
    func target(of id: UUID) -> UUID {
        var id = id
        while let next = targets[id] { id = next.winner }
        return id
    }

    /// Sorted by (bucket, id).
    var all: [Merge] {
        targets.map { Merge(loser: $0.key, winner: target(of: $0.key), at: $0.value.at) }
            .sorted { ($0.loser.bucket, $0.loser) < ($1.loser.bucket, $1.loser) }
    }
}
