import Foundations

extension Stepping {
    /// What was parked behind a timer goes on when nothing holds it up any more, though no timer was decided: evidence
    /// that another server was slower to load may have ended what it waited for.
    func releaseParked() {
        var before = Int.max
        while person.memory.parked.count < before {
            let free = Set(person.memory.parked.filter { !isHeldUp($0) }.map(\.journey))
            if free.isEmpty { return }
            before = person.memory.parked.count
            for journey in free.sorted() { unpark(journey) }
        }
    }

    private func isHeldUp(_ parked: Memory.Parked) -> Bool {
        if withholding.contains(parked.journey) { return true }
        let now = moment
        defer { moment = now }
        moment.clock = parked.clock
        if isUndecided(parked.journey) { return true }
        guard case .event(let occurrence) = parked.cause else { return false }
        return decision(before: occurrence, parked.journey) != nil
    }
}
