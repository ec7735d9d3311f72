import Spool

/// The database has loaded more of this spool than there is: the spool is an older state of itself.
struct SpoolAhead: Error, CustomStringConvertible {
    let stored: Position
    let durable: Position
    var description: String {
        "the database has loaded this spool up to \(stored), but it ends at \(durable): the data directory is an older "
            + "copy. Move its `spool` folder away, so that a new one is begun"
    }
}
