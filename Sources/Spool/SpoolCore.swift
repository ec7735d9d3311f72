import Foundations
import Logging
import Synchronization

/// What flusher, housekeeper and readers share.
final class SpoolCore: Sendable {
    let options: SpoolOptions
    let segmentBytes: Int
    let names: SpoolDirectory
    let instance: UUID
    let epoch: UUID
    let clock: Clock
    let logger: Logger
    let plan: RetentionPlan
    let table: Locked<SegmentTable>

    /// Held for as long as anything here can touch the files.
    private let lock: DirectoryLock
    private let durableEnd: Atomic<Int64>
    private let roomHere = Atomic<Int>(0)
    private let roomElsewhere = Atomic<Int>(0)
    private let trouble = Locked<String?>(nil)
    private let damages = Locked<Set<Position>>([])

    init(
        options: SpoolOptions, lock: consuming DirectoryLock, recovered: Recovery, clock: Clock,
        logger: Logger
    ) {
        self.lock = lock
        self.options = options
        self.clock = clock
        self.logger = logger
        names = SpoolDirectory(data: options.data)
        segmentBytes = options.effectiveSegmentBytes
        plan = RetentionPlan(options)
        instance = recovered.instance
        epoch = recovered.epoch
        table = Locked(recovered.table)
        durableEnd = Atomic(recovered.durable.rawValue)
        for place in recovered.damages { reportDamage(at: place.position, bytes: place.bytes) }
        changeTable { _ in }
    }

    // MARK: the durable end

    var durable: Position { Position(rawValue: durableEnd.load(ordering: .acquiring)) }
    /// By the flusher only.
    func publish(durable: Position, roomHere: Int) {
        self.roomHere.store(roomHere, ordering: .relaxed)
        durableEnd.store(durable.rawValue, ordering: .releasing)
    }
    func setRoomHere(_ bytes: Int) { roomHere.store(bytes, ordering: .relaxed) }

    // MARK: room

    /// Half a segment is kept for what was accepted before this turned true.
    var isFull: Bool {
        roomHere.load(ordering: .relaxed) + roomElsewhere.load(ordering: .relaxed) < segmentBytes / 2
    }

    @discardableResult
    func changeTable<Result>(_ change: (inout SegmentTable) -> Result) -> Result {
        table.withLock { table in
            let result = change(&table)
            roomElsewhere.store(plan.roomElsewhere(table), ordering: .relaxed)
            return result
        }
    }

    // MARK: trouble

    /// Why nothing can be written at the moment.
    var failure: String? { trouble.withLock { $0 } }

    func fails(_ error: SystemError) {
        let isNews = trouble.withLock { text in
            defer { text = error.description }
            return text == nil
        }
        if isNews { logger.error("the spool cannot write", metadata: ["error": "\(error)"]) }
    }
    func works() {
        let before = trouble.withLock { text in
            defer { text = nil }
            return text
        }
        if let before { logger.notice("the spool writes again", metadata: ["before": "\(before)"]) }
    }

    var corruptions: Int { damages.withLock { $0.count } }

    /// Every damaged place is told once.
    func reportDamage(at position: Position, bytes: UInt32) {
        guard damages.withLock({ $0.insert(position).inserted }) else { return }
        logger.critical(
            "the spool is damaged; what was written there is lost, reading goes on behind it",
            metadata: [
                "position": "\(position)", "bytes": "\(bytes)", "file": "\(names.segment(position.segment))",
            ])
    }
}
