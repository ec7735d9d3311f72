import Foundations

/// Reads records in order, up to the durable end.
package final class SpoolReader {
    /// Where the next record begins.
    package private(set) var position = Position.start
    package func next(into buffer: inout ByteBuffer) throws(SpoolError) -> SpoolRecord? { nil }
}
