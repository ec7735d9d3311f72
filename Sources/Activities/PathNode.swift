import Foundations
import Payload

/// All that is kept of one path.
struct PathNode: Sendable {
    let hash: UInt64
    var rank: UInt64
    var group: UInt64
    let depth: Int
    let parent: UInt64
    var segment: ParameterPath.Segment
    /// What the names on the way to it say of its values.
    let hint: PersonalKinds

    var values = 0
    var events = 0
    var kinds: [KindCount] = []
    var first: EventMark
    var last: EventKey
    var mask = PresenceMask()
    var personal: PersonalKinds = []
    var numbers = NumberSummary()
    var texts = Extent()
    var arrays = Extent()
    var table = ValueTable()
    var samples = SampleTable()
    /// How many members its objects, and how many elements its arrays had.
    var children = 0
    /// Sums over its arrays of a number of the object around each, alone and times its length: arrays side by side
    /// whose sums agree have agreed in every event.
    var presencePrint: UInt64 = 0
    var lengthPrint: UInt64 = 0
    /// The event that was entered into the history as the one from which on it was missing.
    var vanished: EventMark?

    /// In a tree: it stands for many names.
    var isCollapsed = false

    /// The event that was counted last, and up to where the mask is moved.
    var touched: UInt64 = 0
    var moved: UInt64

    init(_ place: Place, _ segment: ParameterPath.Segment, _ visit: inout Visit) {
        hash = place.hash
        rank = place.rank
        group = place.group
        depth = place.depth
        parent = place.parent
        self.segment = segment
        hint = place.hint
        first = visit.mark
        last = visit.key
        moved = visit.moves
    }

    /// Is it a map by the form of its keys? (A tree makes maps of many names as well.)
    var isOwnMap: Bool {
        if case .anyKey = segment { return !isCollapsed }
        return false
    }

    /// Groups in the order in which they stay, and so their paths.
    static func precedes(_ a: PathNode, _ b: PathNode) -> Bool {
        (a.depth, a.group, a.rank, a.hash) < (b.depth, b.group, b.rank, b.hash)
    }

    // MARK: - Values

    mutating func text(_ text: Bytes, _ hash: UInt64, _ visit: inout Visit, _ limits: SummaryLimits) {
        touch(&visit, limits)
        let at = table.place(of: hash)
        if let kind = table.countAgain(hash, at: at) {
            tally(kind, &visit)
            let priority = limits.mix(visit.hash, hash)
            if samples.takes(priority) { sample(priority, kind, table.values[at].text, limits) }
            return
        }
        let kind = table.kind(of: hash, at: at) ?? look(at: text)
        tally(kind, &visit)
        guard personal.isEmpty else { return table.add(hash, at: at, limits, kind) { "" } }
        table.add(hash, at: at, limits, kind) { text.cut(to: limits.text) }
        let priority = limits.mix(visit.hash, hash)
        if samples.takes(priority) { sample(priority, kind, text.cut(to: limits.text), limits) }
    }

    /// Finds out what a text is that was not seen before, or is no longer remembered.
    private mutating func look(at text: Bytes) -> ValueKind {
        let kind = TextForm.kind(of: text)
        var found = text.count > 0 ? hint : []
        if kind == .date || kind == .datetime || kind == .uuid {
            texts.add(text.count)
        } else {
            let look = PersonalData.Look(text)
            texts.add(look.characters)
            found.formUnion(PersonalData.kinds(in: text, look))
            if kind == .email { found.insert(.email) }
        }
        notePersonal(found)
        return kind
    }

    mutating func number(_ text: Bytes, _ visit: inout Visit, _ limits: SummaryLimits) {
        touch(&visit, limits)
        var isInteger = false
        let number = Numeral(text, isInteger: &isInteger)
        tally(isInteger ? .integer : .decimal, &visit)
        let bits = UInt64(truncatingIfNeeded: number.mantissa)
        let rest =
            UInt64(truncatingIfNeeded: number.mantissa >> 64) ^ UInt64(bitPattern: Int64(number.exponent))
            << 7
        let hash = limits.mix(limits.mix(bits, rest), SummaryLimits.element)
        let at = table.place(of: hash)
        // How it is written counts above; here `1.0` and `1` are one value.
        let kind: ValueKind = number.exponent >= 0 ? .integer : .decimal
        let isKept = table.countAgain(hash, at: at) != nil
        if !isKept {
            notePersonal(hint.union(PersonalData.kinds(of: number)))
            guard personal.isEmpty else { return table.add(hash, at: at, limits, kind) { "" } }
            table.add(hash, at: at, limits, kind) { number.text }
        }
        numbers.add(number, isKnown: isKept)
        let priority = limits.mix(visit.hash, hash)
        if samples.takes(priority) { sample(priority, kind, number.text, limits) }
    }

    mutating func boolean(_ value: Bool, _ visit: inout Visit, _ limits: SummaryLimits) {
        touch(&visit, limits)
        tally(.boolean, &visit)
        let hash = limits.mix(value ? 1 : 2, SummaryLimits.anyKey)
        let at = table.place(of: hash)
        if table.countAgain(hash, at: at) == nil {
            table.add(hash, at: at, limits, .boolean) { value ? "true" : "false" }
        }
    }

    mutating func null(_ visit: inout Visit, _ limits: SummaryLimits) {
        touch(&visit, limits)
        tally(.null, &visit)
    }

    mutating func object(members: Int, _ visit: inout Visit, _ limits: SummaryLimits) {
        touch(&visit, limits)
        tally(.object, &visit)
        children += members
    }

    mutating func array(length: Int, instance: UInt64, _ visit: inout Visit, _ limits: SummaryLimits) {
        touch(&visit, limits)
        tally(.array, &visit)
        arrays.add(length)
        children += length
        let weight = limits.mix(instance, SummaryLimits.element)
        presencePrint &+= weight
        lengthPrint &+= weight &* UInt64(length)
    }

    // MARK: - Counting

    @inline(__always) private mutating func touch(_ visit: inout Visit, _ limits: SummaryLimits) {
        values += 1
        guard touched != visit.serial else { return }
        touched = visit.serial
        events += 1
        if last < visit.key { last = visit.key }
        if visit.key < first.key { first = visit.mark }
        guard let rank = visit.rank else { return }
        move(to: visit.moves, limits)
        mask.set(rank)
    }

    @inline(__always) private mutating func tally(_ kind: ValueKind, _ visit: inout Visit) {
        for i in 0..<kinds.count where kinds[i].kind == kind {
            kinds[i].count += 1
            if visit.key < kinds[i].first.key { kinds[i].first = visit.mark }
            return
        }
        let at = kinds.firstIndex { kind < $0.kind } ?? kinds.count
        kinds.insert(KindCount(kind: kind, count: 1, first: visit.mark), at: at)
    }

    private mutating func sample(
        _ priority: UInt64, _ kind: ValueKind, _ text: String, _ limits: SummaryLimits
    ) {
        guard personal.isEmpty else { return }
        samples.add(SampleTable.Sample(priority: priority, kind: kind, text: text), limits)
    }

    /// Once a value was personal, nothing that was kept stays.
    private mutating func notePersonal(_ found: PersonalKinds) {
        guard !personal.isSuperset(of: found) else { return }
        personal.formUnion(found)
        forget()
    }

    private mutating func forget() {
        table.dropValues()
        samples.dropAll()
        numbers = NumberSummary()
    }

    // MARK: - The latest events

    mutating func move(to moves: UInt64, _ limits: SummaryLimits) {
        mask.shift(by: moves &- moved, keeping: limits.recent)
        moved = moves
    }

    mutating func insertGap(at rank: Int, _ moves: UInt64, _ limits: SummaryLimits) {
        move(to: moves, limits)
        mask.insertGap(at: rank, keeping: limits.recent)
    }

    /// The mask as of the latest event.
    func mask(at moves: UInt64, _ limits: SummaryLimits) -> PresenceMask {
        var mask = mask
        mask.shift(by: moves &- moved, keeping: limits.recent)
        return mask
    }

    mutating func place(_ mask: PresenceMask) {
        self.mask = mask
        moved = 0
        touched = 0
    }

    // MARK: - Merging

    mutating func merge(_ other: PathNode, _ limits: SummaryLimits) {
        values += other.values
        events += other.events
        first = min(first, other.first)
        last = max(last, other.last)
        for kind in other.kinds { merge(kind) }
        mask.formUnion(other.mask)
        texts.merge(other.texts)
        arrays.merge(other.arrays)
        children += other.children
        presencePrint &+= other.presencePrint
        lengthPrint &+= other.lengthPrint
        if let theirs = other.vanished { vanished = max(vanished ?? theirs, theirs) }
        table.merge(other.table, limits)
        samples.merge(other.samples, limits)
        numbers.merge(other.numbers)
        personal.formUnion(other.personal)
        if !personal.isEmpty { forget() }
    }

    private mutating func merge(_ other: KindCount) {
        if let at = kinds.firstIndex(where: { $0.kind == other.kind }) {
            kinds[at].count += other.count
            kinds[at].first = min(kinds[at].first, other.first)
        } else {
            kinds.insert(other, at: kinds.firstIndex { other.kind < $0.kind } ?? kinds.count)
        }
    }
}

/// The shortest and the longest of texts or arrays.
struct Extent: Hashable, Sendable {
    private(set) var least = Int.max
    private(set) var most = -1

    mutating func add(_ length: Int) {
        if length < least { least = length }
        if length > most { most = length }
    }

    mutating func merge(_ other: Extent) {
        least = min(least, other.least)
        most = max(most, other.most)
    }

    var range: ClosedRange<Int>? { most >= least ? least...most : nil }
}
