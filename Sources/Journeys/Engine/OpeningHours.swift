import Foundations

extension JourneyDefinition.Hours {
    /// Nil: they are open at that moment; else when they open next (a year ahead, if they never do).
    func opening(at now: Timestamp, zone: Foundations.Zone) -> Timestamp? {
        let local = zone.local(now)
        if isOpen(local) { return nil }
        for more in 0...8 {
            let day = Int(local.day) + more
            let opens = LocalTime(CivilDate(daysSince1970: day), secondOfDay: Int64(from))
            guard allows(opens.weekday) else { continue }
            // A clock that is put back shows it a second time.
            if let moment = zone.moments(opens).first(where: { $0 > now }) { return moment }
        }
        return now.adding(seconds: 366 * 86_400)
    }

    private func allows(_ weekday: Int) -> Bool { days.isEmpty || days.contains(weekday) }

    private func isOpen(_ local: LocalTime) -> Bool {
        let second = Int(local.secondOfDay)
        if from < to { return allows(local.weekday) && second >= from && second < to }
        // Over midnight: the morning belongs to the day before.
        return second >= from ? allows(local.weekday) : second < to && allows((local.weekday + 6) % 7)
    }
}
