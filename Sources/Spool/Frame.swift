import Foundations

/// The body of one record on its way to disk: made once, filled, submitted, answered, filled again.
///
/// It belongs to whoever holds it: the lane until `Spool.submit`, the spool until `completion` is called, then
/// the lane again. Nobody else touches it.
package final class Frame: @unchecked Sendable {  // owner: lane → spool → lane, handed over as a whole
    /// What is written; the spool does not look inside.
    package var body: ByteBuffer
    /// In: when it arrived, by the lane's clock. Out: as written, never earlier than any record before it.
    package var receivedAt: Timestamp
    /// Where the record begins; set when the completion is called with success.
    package internal(set) var position = Position.start
    /// Where the record ends.
    package internal(set) var next = Position.start

    /// CRC32C of the body, computed by whoever submits, so that the flusher need not.
    var checksum: UInt32 = 0

    /// Called on the flusher's queue, exactly once for each `submit`: with success when the record is on disk,
    /// with an error when it is not and never will be delivered.
    let completion: @Sendable (Frame, Result<Void, SpoolError>) -> Void

    package init(completion: @escaping @Sendable (Frame, Result<Void, SpoolError>) -> Void) {
        body = ByteBuffer()
        receivedAt = Timestamp(microseconds: 0)
        self.completion = completion
    }
}
