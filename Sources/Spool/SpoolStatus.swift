import Foundations

/// How the spool is, at one moment.
package struct SpoolStatus: Sendable {
    /// All files of the spool, the spare one included.
    package var bytes: Int
    /// What may be used on disk.
    package var capacity: Int
    /// What is durable and not yet released by the loader.
    package var backlogBytes: Int
    /// When the first record of the backlog arrived; nil when there is none.
    package var oldestUnloaded: Timestamp?
    package var segments: Int
    /// Where the oldest segment begins.
    package var oldest: Position
    package var durable: Position
    package var isFull: Bool
    /// Why nothing can be written at the moment; nil when all is well.
    package var failure: String?
    /// How many damaged places were found since the start.
    package var corruptions: Int
}

/// One record, as a reader finds it.
package struct SpoolRecord: Sendable, Equatable {
    package var position: Position
    package var next: Position
    package var receivedAt: Timestamp
    /// Where its body lies in the buffer that was given to the reader.
    package var range: Range<Int>
}
