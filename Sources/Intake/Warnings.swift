import Foundations
import Payload

/// What an answer of 200 has to tell besides: a list of texts. `duplicate`, `conflict` and `pending` stand alone, so
/// that a program can look for them.
struct Warnings: ~Copyable {
    private(set) var list = ByteBuffer()
    private(set) var count = 0
    private var hasDuplicate = false
    private var hasConflict = false
    /// What was said to be replaced: once is enough.
    private var repairs: Repairs = []

    mutating func removeAll() {
        list.removeAll()
        list.shrink(to: 4096)
        count = 0
        hasDuplicate = false
        hasConflict = false
        repairs = []
    }

    mutating func add(_ text: StaticString) {
        begin()
        list.append(text)
        list.append(UInt8(ascii: "\""))
    }

    /// About one member of one event, or of the envelope.
    mutating func add(_ text: StaticString, at path: FaultPath) {
        begin()
        list.append(pointer: path)
        list.append(": ")
        list.append(text)
        list.append(UInt8(ascii: "\""))
    }

    mutating func add(_ text: String) {
        if count > 0 { list.append(UInt8(ascii: ",")) }
        count += 1
        appendJSONString(text, to: &list)
    }

    /// This event's id came before. `single`: it is the only event, so nobody has to be told which.
    mutating func add(_ repeated: Repeat, single: Bool) {
        let isTold = repeated.kind == .duplicate ? hasDuplicate : hasConflict
        if !isTold { add(repeated.kind.name) }
        if repeated.kind == .duplicate { hasDuplicate = true } else { hasConflict = true }
        if !single { add(repeated.kind.name, at: .event(repeated.event, "id")) }
    }

    mutating func add(_ found: Repairs) {
        let repairs = found.subtracting(self.repairs)
        if repairs.isEmpty { return }
        self.repairs.formUnion(repairs)
        if repairs.contains(.nul) { add("a NUL character, which the database cannot hold, was replaced") }
        if repairs.contains(.surrogate) { add("half of a surrogate pair was replaced") }
        if repairs.contains(.number) { add("a number out of range was kept as a text") }
        if repairs.contains(.utf8) { add("bytes that are not UTF-8 were replaced") }
    }

    private mutating func begin() {
        if count > 0 { list.append(UInt8(ascii: ",")) }
        count += 1
        list.append(UInt8(ascii: "\""))
    }
}
