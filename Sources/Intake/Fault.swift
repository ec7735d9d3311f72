import Foundations
import Payload

/// One thing that is wrong with a request or with one of its events: what was expected, what was found, and where.
struct Fault {
    enum Kind {
        case missing, type, blank, tooLong, tooDeep, tooMany

        /// The `type` in the answer.
        var name: StaticString {
            switch self {
            case .missing: "missing"
            case .type: "type_error"
            case .blank: "blank"
            case .tooLong: "too_long"
            case .tooDeep: "too_deep"
            case .tooMany: "too_many"
            }
        }
        /// The reason under which an event is quarantined.
        var reason: StaticString {
            switch self {
            case .missing, .type, .blank: "malformed"
            case .tooLong, .tooDeep, .tooMany: "limit"
            }
        }
    }

    let kind: Kind
    let expected: StaticString
    let found: StaticString
    var path: FaultPath
    /// The name that was probably meant.
    var nearest: String?

    static func missing(_ expected: StaticString, _ path: FaultPath) -> Fault {
        Fault(kind: .missing, expected: expected, found: "nothing", path: path)
    }
    static func type(_ expected: StaticString, _ found: JSONNode, _ path: FaultPath) -> Fault {
        Fault(kind: .type, expected: expected, found: found.kind.withArticle, path: path)
    }
    static func tooLong(_ path: FaultPath) -> Fault {
        Fault(kind: .tooLong, expected: "at most 256 bytes", found: "more", path: path)
    }
}

/// The way to a member: `body`, `events`, the number of an event, a member, a member of that.
struct FaultPath {
    /// Where it was sent.
    enum Root {
        case body, header, path
        var name: StaticString {
            switch self {
            case .body: "body"
            case .header: "header"
            case .path: "path"
            }
        }
    }

    var root = Root.body
    /// The number of the event, if it lies in one.
    var event: Int?
    var member: StaticString = ""
    var inner: StaticString = ""

    static func body(_ member: StaticString = "", _ inner: StaticString = "") -> FaultPath {
        FaultPath(member: member, inner: inner)
    }
    static func event(_ event: Int, _ member: StaticString = "", _ inner: StaticString = "") -> FaultPath {
        FaultPath(event: event, member: member, inner: inner)
    }
}

extension JSONKind {
    /// For sentences.
    var withArticle: StaticString {
        switch self {
        case .object: "an object"
        case .array: "a list"
        case .string: "a string"
        case .number: "a number"
        case .true, .false: "a boolean"
        case .null: "null"
        }
    }
}

extension ByteBuffer {
    /// The fault as answers list it; behind another one, after a comma.
    mutating func append(listed fault: Fault, isFirst: Bool) {
        if !isFirst { append(UInt8(ascii: ",")) }
        append(#"{"type":""#)
        append(fault.kind.name)
        append(#"","loc":[""#)
        append(fault.path.root.name)
        append("\"")
        if let event = fault.path.event {
            append(#","events","#)
            append(decimal: event)
        }
        for step in [fault.path.member, fault.path.inner] where step.utf8CodeUnitCount > 0 {
            append(",\"")
            append(step)
            append("\"")
        }
        append(#"],"msg":"expected "#)
        append(fault.expected)
        append(", found ")
        append(fault.found)
        append(#"","pointer":""#)
        if fault.path.root == .body { append(pointer: fault.path) }
        append("\"}")
    }

    /// The JSON pointer (RFC 6901) into the body; none of our members needs an escape.
    mutating func append(pointer path: FaultPath) {
        if let event = path.event {
            append("/events/")
            append(decimal: event)
        }
        append(pointerInEvent: path)
    }

    /// The pointer from the event on: into what is quarantined.
    mutating func append(pointerInEvent path: FaultPath) {
        for step in [path.member, path.inner] where step.utf8CodeUnitCount > 0 {
            append("/")
            append(step)
        }
    }

    /// What the quarantine keeps beside the reason and the pointer.
    mutating func append(detail fault: Fault) {
        QuarantineDetail(
            code: "\(fault.kind.name)", expected: "\(fault.expected)", found: "\(fault.found)",
            nearest: fault.nearest
        ).append(to: &self)
    }
}
