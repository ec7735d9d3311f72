import Foundations

@testable import HTTP

/// However a request is cut, the outcome is the same: the first two bytes say where, the rest is the request.
func fuzzHTTP(_ bytes: Bytes) {
    guard bytes.count > 2 else { return }
    let input = Array(bytes.dropFirst(2))
    let cut = (Int(bytes[0]) << 8 | Int(bytes[1])) % (input.count + 1)
    let whole = outcome(input, cuts: [])
    precondition(whole == outcome(input, cuts: [cut]), "cut at \(cut): another outcome")
    if input.count < 64 {
        precondition(whole == outcome(input, cuts: Array(0..<input.count)), "byte by byte: another outcome")
    }
}

private enum Parsed: Equatable {
    case refused(Refusal)
    case incomplete
    case request(length: Int, method: Method, path: [UInt8], body: [UInt8], keepsAlive: Bool)
}

private func outcome(_ input: [UInt8], cuts: [Int]) -> Parsed {
    var parser = RequestParser(headLimit: 1000, bodyLimit: 1000)
    var buffer: [UInt8] = []
    var (dropped, start) = (0, 0)
    for end in cuts + [input.count] {
        buffer += input[start..<end]
        start = end
        switch buffer.withUnsafeMutableBytes({ parser.parse($0) }) {
        case .refused(let refusal): return .refused(refusal)
        case .needMore(let keep):
            precondition(keep <= buffer.count)
            dropped += buffer.count - keep
            buffer.removeLast(buffer.count - keep)
        case .request(let length):
            precondition(length <= buffer.count && parser.bodyEnd <= length)
            return .request(
                length: length + dropped, method: parser.method, path: Array(buffer[parser.path.range]),
                body: Array(buffer[parser.headEnd..<parser.bodyEnd]), keepsAlive: parser.keepsAlive)
        }
    }
    return .incomplete
}
