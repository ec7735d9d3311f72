import Foundations
import Glibc

/// What the machine's processors have done since it started, in ticks: the first line of `/proc/stat`.
struct ProcessorTimes {
    var idle = 0
    var total = 0

    /// The share of the time since `before` in which there was nothing to do; 1 when that cannot be told.
    func idleShare(since before: ProcessorTimes) -> Double {
        total > before.total ? Double(idle - before.idle) / Double(total - before.total) : 1
    }

    /// Reads them; all zero where there is no `/proc`.
    static func now() -> ProcessorTimes {
        guard let file = try? FileDescriptor(open: "/proc/stat", O_RDONLY) else { return ProcessorTimes() }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(file.raw, &bytes, bytes.count)
        return ProcessorTimes(line: String(decoding: bytes[..<max(count, 0)], as: UTF8.self))
    }

    init(idle: Int = 0, total: Int = 0) {
        self.idle = idle
        self.total = total
    }

    /// `cpu  user nice system idle iowait irq softirq steal …`
    init(line: String) {
        let ticks = line.prefix { $0 != "\n" }.split(separator: " ").dropFirst().prefix(8).compactMap {
            Int($0)
        }
        guard ticks.count == 8 else { return }
        idle = ticks[3] + ticks[4]
        total = ticks.reduce(0, +)
    }
}
