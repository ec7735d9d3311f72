import Spool

/// How far a spool is loaded: the record to be loaded next, and how many of its events are loaded already.
/// (`part` is above 0 only while a record that crashed the server is being taken apart.)
struct LoadPosition: Equatable, Sendable {
    var record: Position
    var part: Int

    static let start = LoadPosition(record: .start, part: 0)
}
