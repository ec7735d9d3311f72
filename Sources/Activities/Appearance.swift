/// Parameters that came later than their activity.
enum Appearance {
    /// Nil: it was there from the first event on, or came with its parent, which has an entry.
    static func entry(
        for place: PathPlace, in after: ActivitySummary, _ known: [ParameterPath: PathPlace]
    ) -> DriftEntry? {
        let node = place.node
        guard node.first.key != after.first?.key, !cameWithParent(place) else { return nil }
        // Members of which there are too many are shown as a map from some day on: that is no change of the events.
        if isMap(place.path), !known.isEmpty, known[place.path.parent ?? place.path] != nil, !isIDs(place) {
            return nil
        }
        guard let nearest = nearest(to: place) else { return DriftEntry(.appeared, place.path, node.first) }
        let path = ParameterPath(Array(place.path.segments.dropLast()) + [nearest.segment])
        return DriftEntry(.similarName, place.path, node.first, nearest: path)
    }

    /// Its parent became an object, or an array, with it: that is one change.
    private static func cameWithParent(_ place: PathPlace) -> Bool {
        guard let parent = place.parent else { return false }
        return parent.kinds.contains {
            ($0.kind == .object || $0.kind == .array) && $0.first.key == place.node.first.key
        }
    }

    private static func isMap(_ path: ParameterPath) -> Bool {
        path.segments.contains { if case .anyKey = $0 { true } else { false } }
    }

    /// A map by the form of its keys has a node of its own.
    private static func isIDs(_ place: PathPlace) -> Bool {
        place.node.isOwnMap || place.parent.map { $0.isOwnMap } ?? false
    }

    /// The older sibling that was probably meant.
    private static func nearest(to place: PathPlace) -> PathNode? {
        guard let name = place.node.segment.name else { return nil }
        let older = place.siblings.filter { $0.first.key < place.node.first.key }
        var best: (node: PathNode, distance: Int)?
        for sibling in older {
            guard let other = sibling.segment.name, let distance = Similarity.distance(name, other) else {
                continue
            }
            if distance < best?.distance ?? .max { best = (sibling, distance) }
        }
        return best?.node
    }
}

/// How much two names look as if one was meant to be the other.
enum Similarity {
    /// 0: only the case of letters differs; 1: one letter, or two that changed places. Nil: more, or a digit.
    static func distance(_ a: String, _ b: String) -> Int? {
        guard a.utf8.count <= 64, b.utf8.count <= 64 else { return nil }
        var one = Array(a.lowercased().unicodeScalars)[...]
        var other = Array(b.lowercased().unicodeScalars)[...]
        if one.elementsEqual(other) { return 0 }
        guard min(one.count, other.count) >= 3, abs(one.count - other.count) <= 1 else { return nil }
        while let x = one.first, x == other.first { (one, other) = (one.dropFirst(), other.dropFirst()) }
        while let x = one.last, x == other.last { (one, other) = (one.dropLast(), other.dropLast()) }
        let isSwap = one.count == 2 && other.count == 2 && one.elementsEqual(other.reversed())
        guard isSwap || one.count <= 1 && other.count <= 1 else { return nil }
        // `line1` and `line2` are two names.
        return (one + other).contains { ("0"..."9").contains($0) } ? nil : 1
    }
}
