/// A range of events that may have crashed the server, and how it is narrowed down until the one is found.
///
/// What crashed once is tried once more, exactly as it was, for it may have been an accident. What crashed twice
/// is halved. The left half is tried first: when it is stored, the crasher must be in the right one. Every crash
/// halves the range, so one event among 5,000 costs about fifteen, and nothing but that event is given up. An
/// event is found when it crashed the server alone, and for the second time at least.
struct Suspicion: Equatable {
    var begin: LoadPosition
    var events: Int
    /// How often the server crashed while it tried these; a half begins with 1, for the whole it is a part of.
    var crashes: Int

    /// What to try next, beginning at the same place.
    var trial: Suspicion {
        guard crashes > 1, events > 1 else { return self }
        return Suspicion(begin: begin, events: events / 2, crashes: 1)
    }

    /// Is this one event, and no doubt left?
    var isFound: Bool { crashes > 1 && events == 1 }

    /// What is left under suspicion when so many of the events were stored, the first ones.
    func without(first stored: Int, now begin: LoadPosition) -> Suspicion? {
        events > stored ? Suspicion(begin: begin, events: events - stored, crashes: 1) : nil
    }
}
