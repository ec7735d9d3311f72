/// Parameters that became something else.
enum TypeChange {
    /// One entry for each kind that is new and came after another one.
    static func entries(for place: PathPlace, _ old: PathNode?) -> [DriftEntry] {
        let kinds = place.node.kinds
        guard kinds.count > 1 else { return [] }
        return kinds.compactMap { kind in
            guard !(old?.kinds.contains { $0.kind == kind.kind } ?? false) else { return nil }
            let earlier = kinds.filter { $0.first.key < kind.first.key }.sorted {
                $0.first.key < $1.first.key
            }
            guard let change = change(to: kind.kind, earlier.map(\.kind)) else { return nil }
            return DriftEntry(change.change, place.path, kind.first, from: change.from, to: kind.kind)
        }
    }

    /// What it means that a kind comes after others; null is nothing, before or after.
    private static func change(
        to kind: ValueKind, _ earlier: [ValueKind]
    ) -> (change: DriftEntry.Change, from: ValueKind)? {
        guard kind != .null, let from = earlier.first(where: { $0 != .null }) else { return nil }
        if earlier.contains(where: { $0.family == kind.family }) {
            let isWider = kind == .decimal && earlier.contains(.integer) && !earlier.contains(.decimal)
            return isWider ? (.widened, .integer) : nil
        }
        if kind == .array { return (.scalarBecameArray, from) }
        if kind != .object, earlier.contains(.array) { return (.arrayBecameScalar, .array) }
        return (.conflict, from)
    }
}
