import Foundation

/// The receiver of a `Site`'s webhooks: it notes every id and what fired, and may be broken.
///
/// What fired is told from the body (see `Fire`), so that a second id for the same fire is found, and other bytes under
/// the same id.
package final class HookDesk: @unchecked Sendable {  // all `var`s are owned by whoever holds `lock`
    package enum Mood: CaseIterable, Sendable {
        case well
        /// Answers 500, or 503 with `Retry-After`.
        case fails
        /// Takes its time, a second and more.
        case slow
        /// Never answers.
        case hangs
        /// Closes the connection without a word, having noted what came.
        case hangsUp
        /// Nobody listens: connections are refused.
        case away
    }

    package struct Counts: Sendable {
        package var calls = 0
        package var fires = 0
        package var repeats = 0
    }

    private struct Sheet {
        var mood = Mood.well
        var receiver: Receiver?
        /// By what fired: the id under which it came.
        var ids: [String: UInt64] = [:]
        /// By id: its bytes.
        var bodies: [UInt64: UInt64] = [:]
        var taken: Set<String> = []
        var problems: [String] = []
        var counts = Counts()
    }

    private let lock = NSLock()
    private var sheet = Sheet()
    package let port: Int

    package init() throws {
        // Learnt once: it comes back under the same address.
        let first = try Receiver(keepsCalls: false)
        port = first.port
        first.close()
        try open()
    }

    package var url: String { "http://127.0.0.1:\(port)/hook" }
    package var counts: Counts { lock.withLock { sheet.counts } }
    package var problems: [String] { lock.withLock { sheet.problems } }

    /// From now on it behaves like that.
    package func become(_ mood: Mood) throws {
        let before = lock.withLock { () -> Receiver? in
            sheet.mood = mood
            guard mood == .away else { return nil }
            defer { sheet.receiver = nil }
            return sheet.receiver
        }
        before?.close()
        if mood != .away { try open() }
    }

    private func open() throws {
        if lock.withLock({ sheet.receiver != nil }) { return }
        let receiver = try eventually("the receiver's port is free", within: 10) { () -> Receiver? in
            try Receiver(port: port, keepsCalls: false) { [weak self] in self?.answer($0) ?? .hangUp }
        }
        lock.withLock { sheet.receiver = receiver }
    }

    package func close() { lock.withLock { sheet.receiver }?.close() }

    /// The id (or that of its batch) under which a fire came here; nil: it never came.
    package func id(of fire: Fire) -> UInt64? { lock.withLock { sheet.ids[fire.text] } }
    package func isTaken(_ fire: Fire) -> Bool { lock.withLock { sheet.taken.contains(fire.text) } }

    /// The fires whose marker begins so.
    package func fires(of round: String) -> [String] {
        lock.withLock { sheet.ids.keys.filter { Fire.isOf(round, $0) } }
    }

    private func answer(_ call: Receiver.Call) -> Receiver.Answer {
        let fires = Fire.read(call.body)
        let mood = lock.withLock { () -> Mood in
            note(call, fires)
            if sheet.mood == .well || sheet.mood == .slow {
                for fire in fires { take(fire) }
            }
            return sheet.mood
        }
        switch mood {
        case .well: return .status(200)
        case .fails:
            return call.body.count % 2 == 0 ? .status(500) : .status(503, headers: ["Retry-After: 1"])
        case .slow:
            pause(0.2 + Double(call.body.count % 16) / 10)
            return .status(200)
        case .hangs: return .silence
        case .hangsUp, .away: return .hangUp
        }
    }

    private func note(_ call: Receiver.Call, _ fires: [Fire]) {
        sheet.counts.calls += 1
        guard let header = call.header("webhook-id"), let id = Self.short(header) else {
            return problem("a call has no webhook-id: \(call.text.prefix(200))")
        }
        if fires.isEmpty { problem("a body is not understood: \(call.text.prefix(200))") }
        let body = UInt64(truncatingIfNeeded: Checksum64.of(call.body))
        if let before = sheet.bodies.updateValue(body, forKey: id) {
            sheet.counts.repeats += 1
            if before != body { problem("\(header) came with other bytes than before") }
        }
        for fire in fires {
            guard let before = sheet.ids.updateValue(id, forKey: fire.text) else {
                sheet.counts.fires += 1
                continue
            }
            if before != id { problem("\(fire.text) came under a second id, \(header)") }
        }
    }

    /// It is answered 200: whoever promises an order must have had the one before answered.
    private func take(_ fire: Fire) {
        sheet.taken.insert(fire.text)
        if let before = fire.predecessor, !sheet.taken.contains(before.text) {
            problem("\(fire.text) came before \(before.text)")
        }
    }

    private func problem(_ text: String) { if sheet.problems.count < 20 { sheet.problems.append(text) } }

    /// Half of a uuid is enough to tell ids apart.
    package static func short(_ id: String) -> UInt64? {
        UInt64(id.filter { $0 != "-" }.prefix(16), radix: 16)
    }
}

/// FNV-1a: enough to tell that bytes are others.
private enum Checksum64 {
    static func of(_ bytes: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}
