#if canImport(CFaults)
    import CFaults
    import Foundations
    import Glibc
    import Testing

    @testable import Spool

    @Suite(.serialized) struct BrokenDiskTests {
        let directory = TemporaryDirectory()

        /// A monotonic clock that is turned by hand.
        final class Hand: Sendable {
            let nanoseconds = Counter()
            var clock: Clock { Clock(now: Clock.system.now) { UInt64(self.nanoseconds.total) } }
        }

        /// A spool, its disk and its writer, with ten records written.
        func begin(_ hand: Hand) throws -> (Spool, BrokenDisk, Writer) {
            let disk = BrokenDisk(directory)
            let spool = try open(options(directory), clock: hand.clock)
            spool.settle()
            let writer = Writer(spool)
            writer.write(0..<5)
            writer.write(5..<10)
            spool.settle()
            return (spool, disk, writer)
        }

        @Test(arguments: [faults_fdatasync, faults_pwritev])
        func aFailedGroupIsRefusedAndTheNextOneKept(operation: Int) throws {
            let (spool, disk, writer) = try begin(Hand())
            defer { disk.mend() }
            let before = spool.durable
            let left = Counter()
            disk.fail { call in
                guard call.operation == operation, call.path.hasSuffix(".segment"), left.total == 0 else {
                    return 0
                }
                left.add()
                return EIO
            }
            writer.write(10..<11)
            writer.write(11..<20)
            #expect(writer.failed == [10])
            #expect(spool.status.failure == nil)
            #expect(spool.durable.segment > before.segment)
            #expect(try contents(spool).ids == Array(0..<10) + Array(11..<20))
            let copy = TemporaryDirectory()
            TemporaryDirectory.copy(directory.path, to: copy.path)
            let again = try open(options(copy))
            #expect(try contents(again).ids == Array(0..<10) + Array(11..<20))
            #expect(try contents(again, from: before).ids == Array(11..<20))
        }

        @Test func aSyncThatFailedIsNotTriedAgain() throws {
            let (_, disk, writer) = try begin(Hand())
            defer { disk.mend() }
            let seen = Locked<[String]>([])
            disk.fail { call in
                guard call.operation == faults_fdatasync, call.path.hasSuffix(".segment") else { return 0 }
                return seen.withLock { seen in
                    seen.append(call.path)
                    return seen.count == 1 ? EIO : 0
                }
            }
            writer.write(10..<11)
            writer.write(11..<13)
            let paths = seen.withLock { $0 }
            #expect(paths.count > 1 && !paths.dropFirst().contains(paths[0]))
        }

        @Test func whileNoSegmentCanBeBegunAllFailsAndItIsTriedTenTimesASecond() throws {
            let hand = Hand()
            let (spool, disk, writer) = try begin(hand)
            defer { disk.mend() }
            let attempts = Counter()
            disk.fail { call in
                if call.operation == faults_reserve || call.path.hasSuffix(".spare") { attempts.add() }
                return ENOSPC
            }
            hand.nanoseconds.add(1_000_000_000)
            writer.write(10..<11)
            let first = attempts.total
            for id in UInt64(11)..<40 { writer.write(id..<id + 1) }
            #expect(attempts.total == first)
            #expect(writer.failed == Set(10..<40))
            #expect(spool.status.failure?.contains("No space left") == true)
            #expect(try contents(spool).ids == Array(0..<10))
            hand.nanoseconds.add(100_000_000)
            writer.write(40..<41)
            #expect(attempts.total > first)

            disk.fail { _ in 0 }
            hand.nanoseconds.add(100_000_000)
            spool.tick()
            spool.settle()
            #expect(spool.status.failure == nil)
            writer.write(41..<50)
            #expect(try contents(spool).ids == Array(0..<10) + Array(41..<50))
        }

        @Test func aStartOnAFullDiskCanStillBeRead() throws {
            var spool: Spool? = try open(options(directory))
            Writer(spool!).write(0..<10)
            drop(&spool)
            let disk = BrokenDisk(directory)
            defer { disk.mend() }
            disk.fail { call in
                call.operation == faults_reserve || call.operation == faults_pwrite ? ENOSPC : 0
            }
            spool = try open(options(directory))
            #expect(spool!.status.failure?.contains("No space left") == true)
            #expect(try contents(spool!).ids == Array(0..<10))
            Writer(spool!).write(10..<12)
            #expect(try contents(spool!, from: spool!.durable).ids == [])
        }

        @Test func theVeryFirstStartOnAFullDiskWaitsForRoom() throws {
            let hand = Hand()
            let disk = BrokenDisk(directory)
            defer { disk.mend() }
            disk.fail { call in call.operation == faults_reserve ? ENOSPC : 0 }
            let spool = try open(options(directory), clock: hand.clock)
            let reader = try spool.reader(from: nil)
            var buffer = ByteBuffer()
            #expect(try reader.next(into: &buffer) == nil)
            #expect(spool.status.segments == 0)
            disk.fail { _ in 0 }
            hand.nanoseconds.add(100_000_000)
            let writer = Writer(spool)
            writer.write(1..<3)
            #expect(writer.kept == [1, 2])
            #expect(try reader.next(into: &buffer) != nil)
        }
    }
#endif
