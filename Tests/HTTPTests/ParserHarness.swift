import Foundations

@testable import HTTP

/// What a parser made of some bytes, whole or in pieces.
enum Outcome: Equatable, CustomStringConvertible {
    case request(Parsed)
    case incomplete
    case refused(Refusal)

    struct Parsed: Equatable {
        var method: Method
        var target: String
        var path: String
        var query: String
        var fields: [String]
        var body: String
        var keepsAlive: Bool
        var expectsContinue: Bool
        /// How many bytes the request took.
        var length: Int
    }

    var description: String {
        switch self {
        case .request(let parsed): "request \(parsed)"
        case .incomplete: "incomplete"
        case .refused(let refusal): "refused \(refusal)"
        }
    }
}

/// Feeds bytes to a parser as a connection does, cut where `cuts` says.
func parse(_ bytes: [UInt8], cuts: [Int] = [], headLimit: Int = 1000, bodyLimit: Int = 1000) -> Outcome {
    var parser = RequestParser(headLimit: headLimit, bodyLimit: bodyLimit)
    var buffer: [UInt8] = []
    var dropped = 0
    var start = 0
    for end in cuts + [bytes.count] {
        buffer += bytes[start..<end]
        start = end
        let step = buffer.withUnsafeMutableBytes { parser.parse($0) }
        switch step {
        case .refused(let refusal): return .refused(refusal)
        case .needMore(let keep):
            dropped += buffer.count - keep
            buffer.removeLast(buffer.count - keep)
        case .request(let length):
            return .request(describe(parser, buffer, length: length + dropped))
        }
    }
    return .incomplete
}

func parse(_ text: String, headLimit: Int = 1000, bodyLimit: Int = 1000) -> Outcome {
    parse(Array(text.utf8), headLimit: headLimit, bodyLimit: bodyLimit)
}

private func describe(_ parser: RequestParser, _ buffer: [UInt8], length: Int) -> Outcome.Parsed {
    func text(_ range: Range<Int>) -> String { String(decoding: buffer[range], as: UTF8.self) }
    let fields = Header.allCases.compactMap { header -> String? in
        let slice = parser.fields[Int(header.rawValue)]
        return slice.isAbsent ? nil : "\(header)=\(text(slice.range))"
    }
    return Outcome.Parsed(
        method: parser.method, target: text(parser.target.range), path: text(parser.path.range),
        query: text(parser.query.range), fields: fields, body: text(parser.headEnd..<parser.bodyEnd),
        keepsAlive: parser.keepsAlive, expectsContinue: parser.expectsContinue, length: length)
}

extension Outcome {
    var parsed: Parsed? {
        if case .request(let parsed) = self { parsed } else { nil }
    }
}
