import Crypto
import Foundations
import Payload

/// The way through an event's properties.
extension ActivitySummary {
    /// Up to this many members, names are compared one by one.
    private static let few = 40

    /// Observes the members of an object. Of a name that comes twice, the last value counts: so does jsonb.
    mutating func observeMembers(
        of object: JSONNode, at place: Place, instance: UInt64, _ visit: inout Visit
    ) {
        let count = object.count
        guard count > 0 else { return }
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: count) { names in
            let live = hashNames(of: object, into: names)
            noteMembers(live, at: place, &visit)
            guard place.depth < limits.levels else {
                cut += 1
                return
            }
            var i = 0
            for (name, value) in object.members {
                let hash = names[i]
                i += 1
                if hash == 0 { continue }
                seen += 1
                let child = memberPlace(hash, name, value, of: place, instance, &visit)
                observe(value, at: child, depth: place.depth + 1, instance, &visit)
            }
        }
    }

    private mutating func noteMembers(_ count: Int, at place: Place, _ visit: inout Visit) {
        if place.depth == 0 {
            members += count
            return
        }
        let index = paths.index(of: place.hash)
        guard index >= 0 else { return }
        let limits = limits
        paths.change(index) { $0.object(members: count, &visit, limits) }
    }

    /// The hashes of all names, 0 for those whose value is overwritten by a later one. How many are not 0.
    private func hashNames(of object: JSONNode, into names: UnsafeMutableBufferPointer<UInt64>) -> Int {
        var filled = 0
        var live = 0
        for (name, _) in object.members {
            let hash = max(hash(of: name), 1)
            names.initializeElement(at: filled, to: hash)
            filled += 1
            live += 1
            guard filled <= Self.few else { continue }
            for i in 0..<filled - 1 where names[i] == hash {
                names[i] = 0
                live -= 1
            }
        }
        return filled <= Self.few ? live : Self.dropRepeated(names)
    }

    private static func dropRepeated(_ names: UnsafeMutableBufferPointer<UInt64>) -> Int {
        var known = Set<UInt64>(minimumCapacity: names.count)
        for i in stride(from: names.count - 1, through: 0, by: -1) where !known.insert(names[i]).inserted {
            names[i] = 0
        }
        return known.count - (known.contains(0) ? 1 : 0)
    }

    private func hash(of text: JSONNode) -> UInt64 {
        guard text.hasEscapes else { return limits.hasher.hash(text.contents) }
        var decoded = ByteBuffer(capacity: text.contents.count)
        text.appendText(to: &decoded)
        return limits.hasher.hash(decoded.bytes)
    }

    // MARK: - Places

    /// A member's place; a node is made for it if there is room. Nil: it has none, nor have its parts. (Parts may have
    /// nodes where the member itself has none.)
    private mutating func memberPlace(
        _ name: UInt64, _ key: JSONNode, _ value: JSONNode, of parent: Place, _ instance: UInt64,
        _ visit: inout Visit
    ) -> Place? {
        var place = Place.root
        place.parent = parent.hash
        place.depth = parent.depth + 1
        place.instance = fold(instance ^ limits.secret, name ^ limits.otherSecret)
        place.hash = limits.mix(parent.hash, name)
        let index = paths.index(of: place.hash)
        if index >= 0 {
            place.join(paths.nodes[index])
            return place
        }
        return newMember(key, value, place, parent, &visit)
    }

    private mutating func newMember(
        _ key: JSONNode, _ value: JSONNode, _ found: Place, _ parent: Place, _ visit: inout Visit
    ) -> Place? {
        var place = found
        var decoded = ByteBuffer(capacity: 0)
        key.appendText(to: &decoded)
        let name = decoded.bytes
        place.hint = parent.hint
        if IdentifierForm.isID(name) {
            return partPlace(place, SummaryLimits.anyKey, .anyKey, parent, &visit)
        }
        place.join(parent, kind: nil, limits)
        guard paths.admits(group: place.group, depth: place.depth) else { return nil }
        let isKept = paths.admits(place)
        if !isKept, value.kind != .object, value.kind != .array { return nil }
        place.hint.formUnion(PersonalNames.kinds(of: name))
        if isKept { paths.insert(PathNode(place, ParameterPath.Segment(name, limits), &visit)) }
        return place
    }

    /// The place of an array's elements, or of a map's members.
    private mutating func partPlace(
        _ started: Place, _ kind: UInt64, _ segment: ParameterPath.Segment, _ parent: Place,
        _ visit: inout Visit
    ) -> Place? {
        var place = started
        place.hash = limits.mix(parent.hash, kind)
        place.hint = parent.hint
        place.join(parent, kind: kind, limits)
        if paths.index(of: place.hash) >= 0 { return place }
        guard paths.admits(group: place.group, depth: place.depth) else { return nil }
        if paths.admits(place) { paths.insert(PathNode(place, segment, &visit)) }
        return place
    }

    // MARK: - Values

    private mutating func observe(
        _ value: JSONNode, at place: Place?, depth: Int, _ instance: UInt64, _ visit: inout Visit
    ) {
        // Without a place nothing below has one either; it is counted all the same.
        guard let place else { return countParts(of: value, depth: depth) }
        switch value.kind {
        case .object:
            if value.span == 1 { noteMembers(0, at: place, &visit) }
            observeMembers(of: value, at: place, instance: place.instance, &visit)
        case .array: observeArray(value, at: place, instance, &visit)
        default: observeScalar(value, at: place, &visit)
        }
    }

    private mutating func observeArray(
        _ array: JSONNode, at place: Place, _ instance: UInt64, _ visit: inout Visit
    ) {
        let length = array.count
        let limits = limits
        let index = paths.index(of: place.hash)
        if index >= 0 {
            paths.change(index) { $0.array(length: length, instance: instance, &visit, limits) }
        }
        guard length > 0 else { return }
        guard place.depth < limits.levels else {
            cut += 1
            return
        }
        var part = Place.root
        part.parent = place.hash
        part.depth = place.depth + 1
        let found = partPlace(part, SummaryLimits.element, .element, place, &visit)
        var ordinal: UInt64 = 0
        for element in array.elements {
            seen += 1
            ordinal += 1
            guard var found else {
                countParts(of: element, depth: part.depth)
                continue
            }
            found.instance = fold(place.instance ^ limits.secret, ordinal ^ limits.otherSecret)
            observe(element, at: found, depth: part.depth, found.instance, &visit)
        }
    }

    private mutating func observeScalar(_ value: JSONNode, at place: Place, _ visit: inout Visit) {
        let index = paths.index(of: place.hash)
        guard index >= 0 else { return }
        let limits = limits
        switch value.kind {
        case .string where value.hasEscapes:
            var decoded = ByteBuffer(capacity: value.contents.count)
            value.appendText(to: &decoded)
            let hash = limits.hasher.hash(decoded.bytes)
            paths.change(index) { $0.text(decoded.bytes, hash, &visit, limits) }
        case .string:
            let hash = limits.hasher.hash(value.contents)
            paths.change(index) { $0.text(value.contents, hash, &visit, limits) }
        case .number: paths.change(index) { $0.number(value.bytes, &visit, limits) }
        case .true, .false: paths.change(index) { $0.boolean(value.kind == .true, &visit, limits) }
        default: paths.change(index) { $0.null(&visit, limits) }
        }
    }

    /// Counts what is in a value that has no place.
    private mutating func countParts(of value: JSONNode, depth: Int) {
        guard value.span > 1 else { return }
        guard depth < limits.levels else {
            cut += 1
            return
        }
        if value.kind == .array {
            for element in value.elements {
                seen += 1
                countParts(of: element, depth: depth + 1)
            }
            return
        }
        let count = value.count
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: count) { names in
            _ = hashNames(of: value, into: names)
            var i = 0
            for (_, part) in value.members {
                i += 1
                if names[i - 1] == 0 { continue }
                seen += 1
                countParts(of: part, depth: depth + 1)
            }
        }
    }
}

extension ParameterPath.Segment {
    /// A name as it is kept: whole, or its beginning and a hash.
    init(_ name: Bytes, _ limits: SummaryLimits) {
        guard name.count > limits.name else {
            self = .name(name.text)
            return
        }
        let digits: [UInt8] = Array("0123456789abcdef".utf8)
        let digest = SHA256.hash(data: Array(name)).prefix(16)
        let text = digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        self = .long(beginning: name.cut(to: limits.name / 2), digest: String(decoding: text, as: UTF8.self))
    }
}
