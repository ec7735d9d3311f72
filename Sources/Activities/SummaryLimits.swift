import Foundations

/// How much is kept of an activity. Summaries can be merged only if they were made under the same limits.
///
/// At a limit, what has the smallest hash stays: so it does not matter in which order things come. The hash
/// depends on a secret, the same for all servers of an installation, so that nobody can make up names of which he
/// knows that they stay.
package struct SummaryLimits: Equatable, Sendable {
    /// Parameters of an activity.
    package var paths = 500
    /// Levels of nesting; arrays count as well.
    package var levels = 8
    /// Up to so many distinct values are counted exactly.
    package var exactDistinct = 1_000
    /// So many of their hashes are kept above that, for an estimate.
    package var sketch = 512
    /// Values of a parameter that are kept with their counts.
    package var values = 64
    /// Values of random events.
    package var samples = 32
    /// Bytes that are kept of a text.
    package var text = 64
    /// A name of more bytes is kept as its beginning and a hash.
    package var name = 128
    /// Sources of an activity, and as many clients.
    package var sources = 32
    /// The latest events of which is known what they carried.
    package var recent = 200
    /// A parameter that is in none of so many latest events has vanished.
    package var missing = 100
    /// More differently named members than this, and an object is shown as a map.
    package var names = 64
    /// Activities of a catalogue.
    package var activities = 10_000

    package private(set) var secret: UInt64
    package private(set) var otherSecret: UInt64
    let hasher: SipHash

    /// The secret's two halves; summaries of other secrets are refused.
    package init(secret: (UInt64, UInt64) = (0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03)) {
        // Spread over all bits: what is mixed with them must not happen to be the same.
        self.secret = Self.spread(secret.0)
        otherSecret = Self.spread(secret.1 ^ self.secret)
        hasher = SipHash(k0: secret.0, k1: secret.1)
    }

    private static func spread(_ word: UInt64) -> UInt64 {
        var word = word &+ 0x9e37_79b9_7f4a_7c15
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }

    package static func == (a: Self, b: Self) -> Bool {
        a.secret == b.secret && a.otherSecret == b.otherSecret && a.numbers == b.numbers
    }

    private var numbers: [Int] {
        [
            paths, levels, exactDistinct, sketch, values, samples, text, name, sources, recent, missing,
            names,
            activities,
        ]
    }
}
