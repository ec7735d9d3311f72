import Dispatch
import Foundations
import Logging

/// The durable log between Intake and Loader: what it has taken is on disk, whatever dies afterwards.
///
/// # Constraints
///
/// - An answer waits for the disk, so a group of frames costs one write and one sync, however many there are.
/// - A start takes well under a second with any backlog: it reads one page of each segment, and the records of
///   the last segment only.
/// - What was answered as failed is never delivered, and what was answered as kept is delivered once and in
///   order, also when the process or the machine stops between any two system calls.
///
/// # On disk
///
/// The log is a row of *segments*, files of 64 MiB that are filled with zeros (or recycled) before they are
/// used, since syncing a file that does not grow takes half the time. All numbers are little-endian.
///
///     segment                             header (page 0, at byte 0 and again at 2048)
///     ┌──────────┬────────┬────────┬──    ┌──────────────────────────────┬───────────┐
///     │ header   │ record │ record │ …    │ "WMKSPOOL"                   │  8 bytes  │
///     │ 1 page   │        │        │      │ format version               │  4        │
///     └──────────┴────────┴────────┴──    │ flags (1: only reserved)     │  4        │
///                                         │ instance                     │ 16        │
///     record, at a multiple of 8          │ epoch                        │ 16        │
///     ┌──────────────────────┬───────┐    │ previousEnd                  │  8        │
///     │ "WMRD"               │   4   │    │ latest arrival before        │  8        │
///     │ length of the body   │   4   │    │ number of the segment        │  4        │
///     │ arrival, µs          │   8   │    │ CRC32C of the above          │  4        │
///     │ group                │   4   │    └──────────────────────────────┴───────────┘
///     │ CRC32C of the body   │   4   │    seal (page 0, at byte 1024), after an orderly stop
///     │ 0                    │   4   │    ┌──────────────────────────────┬───────────┐
///     │ CRC32C of the above  │   4   │    │ "WMSL"                       │  4        │
///     ├──────────────────────┴───────┤    │ where the records end        │  4        │
///     │ body                         │    │ latest arrival               │  8        │
///     ├──────────────────────────────┤    │ 0                            │  4        │
///     │ zeros up to a multiple of 8  │    │ CRC32C of the above          │  4        │
///     └──────────────────────────────┘    └──────────────────────────────┴───────────┘
///
/// The CRC of a record's header is seeded with the epoch, the segment's number and the offset, so that neither
/// what a recycled file held before, nor a body that imitates a record, is taken for one. *group* is where the
/// group begins that the record was written with: everything before it was durable by then.
///
/// *previousEnd* makes the log unambiguous: it is the position after the last durable record when the segment
/// was begun. What lies behind it in the older segment, be it torn, failed or intact, is not part of the log
/// and never will be; segments that it skips hold nothing. Therefore a start always begins a new segment and
/// never goes on in an old one.
///
/// # Operations
///
/// *Append.* The flusher takes all frames that wait, gives them positions and times that never go back, writes
/// them with one `pwritev` (up to the end of the page, so that nothing need be read first) and one
/// `fdatasync`, then publishes the durable end and calls the completions.
///
/// *Rotate.* Into the spare file goes a header, which is synced; then the file gets its name, and the directory
/// is synced; only then are records written. A file with the name of a segment thus always has a header, and a
/// number under which records were written is never used again.
///
/// *Fail.* A failed write or sync is never tried again. The segment ends at its last durable record, the header
/// of the failed group is overwritten with zeros (in case we are killed before the next step), a new segment
/// is begun, and the frames of the group fail. While no segment can be begun all frames fail; it is tried
/// again at most every 100 ms.
///
/// *Recover.* The headers give the chain of segments and all ends but the last one. That is found by reading:
/// the log ends before the first record that is not whole, unless a later record's *group* says that this
/// place was durable (then it is damage). What was found is synced before it is delivered.
///
/// *Release.* Segments that the loader is done with are kept for an hour, or 2 GB of them, or until the room is
/// needed; then the oldest becomes the spare, or goes. A second reader may `hold` them for longer than that, but
/// not when the room is needed.
package final class Spool: Sendable {
    package let options: SpoolOptions
    private let core: SpoolCore
    private let flusher: Flusher
    private let housekeeper: Housekeeper
    private let timer: Timer

    /// Makes the directory when there is none, locks it, finds the end of the log, and begins a segment. When
    /// no segment can be begun the spool starts nevertheless: what it holds can be read.
    package init(options: SpoolOptions, clock: Clock, logger: Logger) throws(SpoolError) {
        self.options = options
        let names = SpoolDirectory(data: options.data)
        try attempt { () throws(SystemError) in try names.create() }
        let lock = try DirectoryLock(data: options.data)
        let recovered = try Recovery(options)
        core = SpoolCore(options: options, lock: lock, recovered: recovered, clock: clock, logger: logger)
        housekeeper = Housekeeper(core: core)
        flusher = Flusher(core: core, housekeeper: housekeeper, recovered: recovered)
        timer = Timer(queue: housekeeper.queue)
        let flusher = self.flusher
        flusher.queue.sync { flusher.begin() }
        if options.ticks {
            timer.start { [housekeeper, flusher] in
                housekeeper.run()
                flusher.queue.async { flusher.tick() }
            }
        }
        if recovered.latest > clock.now().adding(seconds: 60) {
            logger.warning(
                "the clock is behind the latest record: arrival times stand still until it catches up",
                metadata: ["latest": "\(recovered.latest.microseconds) µs"])
        }
    }

    deinit { timer.stop() }

    /// The id of this server.
    package var instance: UUID { core.instance }
    /// Drawn when the spool was made: another epoch is another log, and its positions mean nothing here.
    package var epoch: UUID { core.epoch }
    /// Where the segments lie.
    package var directory: String { options.directory }

    /// Hands a frame over to be written. From any queue.
    package func submit(_ frame: Frame) { flusher.submit(frame) }

    /// Is the room used up? What was accepted before still fits.
    package var isFull: Bool { core.isFull }

    /// The end of what is on disk.
    package var durable: Position { core.durable }

    /// The end of what is on disk, and a time before which nothing more will arrive: every record behind that end has
    /// at least this time. It waits for what is being written; not for the path of a request.
    package func tide() -> (end: Position, time: Timestamp) { flusher.queue.sync { flusher.tide() } }

    /// `call` is called on the flusher's queue whenever `durable` has grown; it should only poke.
    package func onDurable(_ call: @escaping @Sendable () -> Void) { flusher.onDurable(call) }

    /// Reads from a position that was handed out before, or from the oldest record that is kept.
    package func reader(from position: Position?) throws(SpoolError) -> SpoolReader {
        try SpoolReader(core: core, from: position)
    }

    /// Says up to where the loader is done. Say it once at the start, too: until then everything counts as
    /// backlog. It may go back, after the database was restored.
    package func release(upTo position: Position) {
        let now = core.clock.monotonic()
        core.changeTable { $0.release(upTo: position, now: now) }
    }

    /// Says up to where a second reader is done, who follows the loader and must never hold it up: what he has yet
    /// to read is kept for longer than retention asks, until new events need the room. Nil: there is none.
    package func hold(from position: Position?) { core.changeTable { $0.held = position } }

    /// Up to where whoever releases is done; nil: nothing was said yet.
    package var released: Position? { core.table.withLock { $0.released } }

    /// Housekeeping, now; it happens by itself once a second.
    package func tick() {
        housekeeper.poke()
        flusher.queue.async { [flusher] in flusher.tick() }
    }

    package var status: SpoolStatus { SpoolStatus(core) }

    /// The same as the status's `backlogBytes`, without a look at the disk.
    package var backlogBytes: Int { core.table.withLock { $0.backlog(core.durable) } }

    /// Writes what waits, seals the log, and calls back on the flusher's queue. Later frames fail.
    package func close(_ done: @escaping @Sendable () -> Void) {
        timer.stop()
        flusher.queue.async { [flusher] in
            flusher.close()
            done()
        }
    }

    /// For tests, which stop it at times.
    var flusherQueue: DispatchQueue { flusher.queue }

    /// Waits until both queues have done what they were asked so far; for tests.
    func settle() {
        flusher.queue.sync {}
        housekeeper.queue.sync {}
    }
}
