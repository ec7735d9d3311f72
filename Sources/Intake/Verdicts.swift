/// What became of the events of one request, counted.
struct Verdicts: Equatable {
    var received = 0
    var stored = 0
    var unsaved = 0
    var denied = 0
    var quarantined = 0
    /// Of the quarantined ones, those at fault themselves; the others were denied.
    var bad = 0

    /// Something was sent and nothing of it is good: the answer is a 422.
    var isRefused: Bool { received > 0 && bad == received }
}
