#if canImport(CFaults)
    import CFaults
    import Foundations
    import Glibc
    import Testing

    @testable import Spool

    /// Crashes at random moments between any two system calls: what was answered must come back once and in
    /// order, what was refused never.
    @Suite(.serialized) struct CrashTests {
        struct Crash {
            var image: TemporaryDirectory
            var kept: [(id: UInt64, next: Position)]
            var failed: Set<UInt64>
            var released: Position?
            var call: Int
        }

        /// A clock by which 60 ms pass whenever it is asked, so that refusals are soon forgotten.
        func hurried() -> Clock {
            let ticks = Counter()
            return Clock(now: Clock.system.now) {
                ticks.add(60_000_000)
                return UInt64(ticks.total)
            }
        }

        /// Writes on a disk that may fail, and takes crash images on the way.
        func run(
            rounds: Int, kill: Bool, releases: Bool, failing: @escaping @Sendable (BrokenDisk.Call) -> Int32
        ) throws -> [Crash] {
            let directory = TemporaryDirectory()
            var settings = options(directory, capacity: 4 << 20)
            settings.retain = 0
            let disk = BrokenDisk(directory)
            defer { disk.mend() }
            disk.fail(failing)
            let crashes = Locked<[Crash]>([])
            let released = Locked<Position?>(nil)
            let spool = try open(settings, clock: hurried())
            let writer = Writer(spool)
            let book = writer.book
            disk.atEachCall { disk, call in
                var random = SystemRandomNumberGenerator()
                guard Int.random(in: 0..<20, using: &random) == 0 else { return }
                let (kept, failed) = book.withLock { ($0.kept, $0.failed) }
                let crash = Crash(
                    image: disk.crash(kill: kill, &random), kept: kept, failed: failed,
                    released: released.withLock { $0 }, call: call)
                crashes.withLock { $0.append(crash) }
            }
            var id: UInt64 = 0
            for round in 0..<rounds {
                for _ in 0..<Int.random(in: 1...12) {
                    writer.submit(id, bytes: [8, 104, 700, 3000, 9000].randomElement()!)
                    id += 1
                }
                if round % 3 == 0 { writer.wait() }
                if releases, round % 5 == 0, let last = book.withLock({ $0.kept.last }) {
                    released.withLock { $0 = last.next }
                    spool.release(upTo: last.next)
                    spool.tick()
                }
            }
            writer.wait()
            spool.settle()
            return crashes.withLock { $0 }
        }

        func check(_ crash: Crash) throws {
            let settings = options(crash.image)
            var spool: Spool? = try open(settings)
            let from = crash.released
            let expected = crash.kept.filter { from == nil || $0.next > from! }.map(\.id)
            let found = try contents(spool!, from: from).ids
            let text = Comment(
                rawValue: "call \(crash.call), found \(found.suffix(20)), kept \(expected.suffix(20))")
            #expect(Array(found.prefix(expected.count)) == expected, text)
            #expect(crash.failed.isDisjoint(with: found), text)
            #expect(zip(found, found.dropFirst()).allSatisfy { $0 < $1 }, text)
            #expect(spool!.status.corruptions == 0, text)
            // The log goes on, and what was found stays what it is.
            let more = Array<UInt64>(1_000_000..<1_000_012)
            let writer = Writer(spool!)
            writer.write(more, bytes: 3000)
            #expect(try contents(spool!, from: from).ids == found + more, text)
            drop(&spool, writer)
            spool = try open(settings)
            #expect(try contents(spool!, from: from).ids == found + more, text)
            if let middle = crash.kept.randomElement(), from == nil || middle.next >= from! {
                let rest = try contents(spool!, from: middle.next).ids
                #expect(rest == (found + more).filter { $0 > middle.id }, text)
            }
        }

        @Test(arguments: [false, true])
        func aCrashLosesNothingThatWasAnswered(releases: Bool) throws {
            let crashes = try run(rounds: 100, kill: false, releases: releases) { _ in 0 }
            #expect(crashes.count > 10)
            for crash in crashes { try check(crash) }
        }

        /// Records fail to be written or synced; beginning a segment works.
        @Test func whatWasRefusedDoesNotComeBackAfterAPowerCut() throws {
            let crashes = try run(rounds: 120, kill: false, releases: false) { call in
                guard call.path.hasSuffix(".segment"), call.number % 7 == 3 else { return 0 }
                return [faults_fdatasync, faults_pwritev].contains(call.operation) ? EIO : 0
            }
            #expect(crashes.contains { !$0.failed.isEmpty })
            for crash in crashes { try check(crash) }
        }

        /// Anything may fail, also beginning a segment.
        @Test(arguments: [4, 7, 13])
        func whatWasRefusedDoesNotComeBackAfterAKill(every: Int) throws {
            let crashes = try run(rounds: 120, kill: true, releases: false) { call in
                call.number > 20 && call.number % every == 1 && call.operation != faults_pwrite
                    ? EIO : 0
            }
            #expect(crashes.contains { !$0.failed.isEmpty })
            for crash in crashes { try check(crash) }
        }
    }
#endif
