#if canImport(CFaults)
    import CFaults
    import Foundations
    import Glibc

    /// Stands between one data directory and the disk: fails calls on order, and knows at any moment what a
    /// power cut could leave behind.
    ///
    /// What was written since the last sync of a file may be there or not, block by block; a name that was
    /// changed since the last sync of the directory may be changed or not, the later changes first.
    final class BrokenDisk: @unchecked Sendable {  // owner of all but the constants: whoever holds `mutex`
        struct Call {
            var operation: Int
            var path: String
            var number: Int
        }

        private struct Write {
            var offset: Int
            var before: [UInt8]
        }
        private enum Change {
            case rename(from: String, to: String)
            case unlink(name: String, bytes: [UInt8], inode: UInt)
        }

        private static let disks = Locked<[BrokenDisk]>([])

        private let spool: String
        private let mutex: UnsafeMutablePointer<pthread_mutex_t>
        private var calls = 0
        private var unsynced: [UInt: [Write]] = [:]
        private var changes: [Change] = []
        private var order: (Call) -> Int32 = { _ in 0 }
        private var moment: (BrokenDisk, Int) -> Void = { _, _ in }

        init(_ directory: TemporaryDirectory) {
            spool = directory.path + "/spool"
            mutex = .allocate(capacity: 1)
            mutex.initialize(to: pthread_mutex_t())
            pthread_mutex_init(mutex, nil)
            Self.disks.withLock { $0.append(self) }
            faults_set_hook { call, phase in
                guard let call, let path = call.pointee.path else { return 0 }
                let text = String(cString: path)
                let disk = BrokenDisk.disks.withLock { $0.first { text.hasPrefix($0.spool) } }
                guard let disk else { return 0 }
                return phase == 0 ? disk.before(call.pointee, text) : disk.after()
            }
        }

        deinit { mutex.deallocate() }

        /// From now on the disk is as good as any.
        func mend() { Self.disks.withLock { $0.removeAll { $0 === self } } }

        /// `order` says before each call with which errno it fails, 0: it does not.
        func fail(_ order: @escaping (Call) -> Int32) {
            pthread_mutex_lock(mutex)
            self.order = order
            pthread_mutex_unlock(mutex)
        }

        /// `moment` is called before each call, while nothing else can reach the disk.
        func atEachCall(_ moment: @escaping (BrokenDisk, Int) -> Void) {
            pthread_mutex_lock(mutex)
            self.moment = moment
            pthread_mutex_unlock(mutex)
        }

        private func before(_ call: faults_call, _ path: String) -> Int32 {
            pthread_mutex_lock(mutex)
            calls += 1
            moment(self, calls)
            let operation = Int(call.operation)
            let error = order(Call(operation: operation, path: path, number: calls))
            if error == 0 { note(call, operation, path) }
            return error
        }

        private func after() -> Int32 {
            pthread_mutex_unlock(mutex)
            return 0
        }

        private func note(_ call: faults_call, _ operation: Int, _ path: String) {
            switch operation {
            case faults_pwrite, faults_pwritev:
                var old = [UInt8](repeating: 0, count: call.count)
                _ = old.withUnsafeMutableBytes {
                    pread(call.descriptor, $0.baseAddress, $0.count, call.offset)
                }
                unsynced[inode(call.descriptor), default: []].append(Write(offset: call.offset, before: old))
            case faults_fdatasync: unsynced[inode(call.descriptor)] = nil
            case faults_fsync: changes = []
            case faults_rename:
                changes.append(.rename(from: name(path), to: name(String(cString: call.other))))
            case faults_unlink:
                var facts = stat()
                guard lstat(path, &facts) == 0 else { return }
                changes.append(
                    .unlink(name: name(path), bytes: TemporaryDirectory.read(path), inode: facts.st_ino))
            default: break
            }
        }

        private func name(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }
        private func inode(_ descriptor: Int32) -> UInt {
            var facts = stat()
            fstat(descriptor, &facts)
            return facts.st_ino
        }

        /// What a power cut leaves, drawn with `random`; `kill`: what the end of the process leaves. To be
        /// called at a moment.
        func crash(kill: Bool, _ random: inout SystemRandomNumberGenerator) -> TemporaryDirectory {
            let image = TemporaryDirectory()
            let data = String(spool.dropLast("/spool".count))
            mkdir(image.path + "/spool", 0o700)
            TemporaryDirectory.write(
                TemporaryDirectory.read(data + "/instance"), to: image.path + "/instance")
            var files: [String: [UInt8]] = [:]
            for name in TemporaryDirectory.names(spool) {
                var facts = stat()
                lstat("\(spool)/\(name)", &facts)
                var bytes = TemporaryDirectory.read("\(spool)/\(name)")
                if !kill { tear(&bytes, facts.st_ino, &random) }
                files[name] = bytes
            }
            if !kill { undo(&files, &random) }
            for (name, bytes) in files { TemporaryDirectory.write(bytes, to: "\(image.path)/spool/\(name)") }
            return image
        }

        /// Some of the unsynced blocks are as before, some are garbage.
        private func tear(_ bytes: inout [UInt8], _ inode: UInt, _ random: inout SystemRandomNumberGenerator)
        {
            let mood = Int.random(in: 0..<4, using: &random)
            for write in (unsynced[inode] ?? []).reversed() {
                var at = write.offset
                let end = write.offset + write.before.count
                while at < end {
                    let block = min(end, (at / 512 + 1) * 512)
                    let draw = Int.random(in: 0..<10, using: &random)
                    if mood == 1 || (mood > 1 && draw < 4) {
                        for i in at..<block { bytes[i] = write.before[i - write.offset] }
                    } else if mood == 3 && draw == 9 {
                        for i in at..<block { bytes[i] = UInt8.random(in: 0...255, using: &random) }
                    }
                    at = block
                }
            }
        }

        /// Takes back some of the last changes of names.
        private func undo(_ files: inout [String: [UInt8]], _ random: inout SystemRandomNumberGenerator) {
            for change in changes.suffix(Int.random(in: 0...changes.count, using: &random)).reversed() {
                switch change {
                case .rename(let from, let to): files[from] = files.removeValue(forKey: to)
                case .unlink(let name, let bytes, _): files[name] = bytes
                }
            }
        }
    }
#endif
