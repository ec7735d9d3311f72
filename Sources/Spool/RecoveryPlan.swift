import Foundations

/// Finds out, from the headers alone, which files are the log.
///
/// The newest segment is always part of it. Each says in `previousEnd` which segment came before and where
/// that ended; what it skips holds nothing (it was abandoned before its first record was durable, or begun by
/// a server that stopped at once). Older segments than the chain reaches were on their way out.
struct RecoveryPlan: Equatable {
    /// The log, oldest first. The ends of all are known but for the newest and those before a gap.
    var chain: [Segment] = []
    var orphans: [Segment] = []
    /// Segments that should be there and are not, by the position where what is missing ends.
    var gaps: [Position] = []

    /// `found` must be sorted by number.
    init(_ found: [Segment]) {
        guard let newest = found.last else { return }
        chain = [newest]
        var rest = found.dropLast()
        var wanted = newest.previousEnd
        while var segment = rest.popLast() {
            if segment.number > wanted.segment || wanted == .start {
                orphans.append(segment)
                continue
            }
            if segment.number == wanted.segment {
                segment.end = wanted.offset
            } else {
                gaps.append(wanted)
            }
            chain.append(segment)
            wanted = segment.previousEnd
        }
        chain.reverse()
    }
}
