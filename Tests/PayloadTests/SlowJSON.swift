@testable import Payload

/// A value as the obvious parser sees it: the judge of the quick one.
indirect enum Value: Equatable {
    case object([Member])
    case array([Value])
    case string([UInt8])
    case number(String)
    case word(String)

    struct Member: Equatable {
        var key: [UInt8]
        var value: Value
    }

    /// What a scanned node is, read through its own interface.
    init(_ node: JSONNode) {
        switch node.kind {
        case .object:
            self = .object(
                node.members.map { Member(key: Array($0.key.string.utf8), value: Value($0.value)) })
        case .array: self = .array(node.elements.map { Value($0) })
        case .string: self = .string(Array(node.string.utf8))
        case .number: self = .number(node.bytes.text)
        case .true, .false, .null: self = .word(node.bytes.text)
        }
    }
}

/// A parser by the book: recursive, one character at a time, with Swift's own UTF-8 check.
struct SlowJSON {
    private var text: [Unicode.Scalar]
    private var at = 0
    private struct Refused: Error {}

    /// Nil: not JSON.
    static func parse(_ bytes: [UInt8]) -> Value? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var parser = SlowJSON(text: Array(text.unicodeScalars))
        if parser.next == "\u{feff}" { parser.at += 1 }
        guard let value = try? parser.value() else { return nil }
        parser.space()
        return parser.at == parser.text.count ? value : nil
    }

    private init(text: [Unicode.Scalar]) { self.text = text }

    private var next: Unicode.Scalar? { at < text.count ? text[at] : nil }

    private mutating func space() {
        while let next, next == " " || next == "\t" || next == "\n" || next == "\r" { at += 1 }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        at += 1
        return true
    }

    private mutating func expect(_ word: String) throws {
        for scalar in word.unicodeScalars where !take(scalar) { throw Refused() }
    }

    private mutating func value() throws -> Value {
        space()
        switch next {
        case "{": return .object(try members())
        case "[": return .array(try elements())
        case "\"": return .string(Array(try string().utf8))
        case "t": return try word("true")
        case "f": return try word("false")
        case "n": return try word("null")
        default: return .number(try number())
        }
    }

    private mutating func word(_ word: String) throws -> Value {
        try expect(word)
        return .word(word)
    }

    private mutating func elements() throws -> [Value] {
        try expect("[")
        space()
        var elements: [Value] = []
        if take("]") { return elements }
        repeat {
            elements.append(try value())
            space()
        } while take(",")
        try expect("]")
        return elements
    }

    private mutating func members() throws -> [Value.Member] {
        try expect("{")
        space()
        var members: [Value.Member] = []
        if take("}") { return members }
        repeat {
            space()
            let key = Array(try string().utf8)
            space()
            try expect(":")
            members.append(Value.Member(key: key, value: try value()))
            space()
        } while take(",")
        try expect("}")
        return members
    }

    private mutating func string() throws -> String {
        try expect("\"")
        var units: [UInt16] = []
        while true {
            guard let scalar = next, scalar.value >= 32 else { throw Refused() }
            at += 1
            if scalar == "\"" { break }
            if scalar == "\\" { units.append(try escape()) } else { units += Array(UTF16.encode(scalar)!) }
        }
        // Lone surrogates become U+FFFD here, by Swift's rule; NUL by ours.
        let text = String(decoding: units, as: UTF16.self)
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "\0" ? "\u{fffd}" : $0 }))
    }

    private mutating func escape() throws -> UInt16 {
        let plain: [Unicode.Scalar: UInt16] = [
            "\"": 34, "\\": 92, "/": 47, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9,
        ]
        guard let mark = next else { throw Refused() }
        at += 1
        if let unit = plain[mark] { return unit }
        guard mark == "u", at + 4 <= text.count else { throw Refused() }
        let digits = text[at..<at + 4]
        guard digits.allSatisfy({ $0.isASCII && $0.properties.isASCIIHexDigit }) else { throw Refused() }
        at += 4
        return UInt16(String(String.UnicodeScalarView(digits)), radix: 16)!
    }

    private mutating func number() throws -> String {
        let start = at
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return String(String.UnicodeScalarView(text[start..<at]))
    }

    private mutating func digits() throws {
        guard let next, "0"..."9" ~= next else { throw Refused() }
        while let next = self.next, "0"..."9" ~= next { at += 1 }
    }
}
