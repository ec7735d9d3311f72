import Foundations

/// One record, as a reader finds it.
package struct SpoolRecord: Sendable, Equatable {
    package var position: Position
    package var next: Position
    package var receivedAt: Timestamp
    /// Where its body lies in the buffer that was given to the reader.
    package var range: Range<Int>
}
