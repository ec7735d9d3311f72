internal import Foundations

/// Finds out where a request ends and what it says, without touching a socket.
///
/// Give it all bytes from the request's first one, again and again with more of them at the end, until it
/// answers with something else than `needMore`. However the bytes are cut, the outcome is the same, and no
/// byte is looked at more than twice.
struct RequestParser {
    enum Step: Equatable {
        /// Wait for more; of what was given, the first `keep` bytes must be given again (a chunked body loses
        /// its framing on the way).
        case needMore(keep: Int)
        /// A whole request; it took the first `length` bytes.
        case request(length: Int)
        case refused(Refusal)
    }

    enum Framing: UInt8 { case none, sized, chunked }

    static let maximumFields = 128

    let headLimit: Int
    let bodyLimit: Int

    /// Where the request line begins: after empty lines (RFC 9112, 2.2).
    private(set) var begin = 0
    /// Where the head ends, after its empty line; 0 while it is not whole.
    private(set) var headEnd = 0
    /// Where the body ends, as far as it has come.
    private(set) var bodyEnd = 0

    private(set) var method = Method.get
    private(set) var methodText = Slice.absent
    private(set) var target = Slice.absent
    private(set) var path = Slice.absent
    private(set) var query = Slice.absent
    private(set) var isOldVersion = false
    var fields = InlineArray<21, Slice>(repeating: .absent)

    var framing = Framing.none
    var contentLength = 0
    var hasLength = false
    var wantsClose = false
    var wantsKeepAlive = false
    /// The client waits for `100 Continue` before it sends the body.
    var expectsContinue = false
    /// What is wrong with the fields. It is said when the head is whole: only then is it known which page or
    /// client has to be able to read the answer.
    var fault: Refusal?
    private var fieldCount = 0

    private var scanned = 0
    private var lineStart = 0
    private var raw = 0
    private var chunks = ChunkedDecoder()

    init(headLimit: Int, bodyLimit: Int) {
        self.headLimit = headLimit
        self.bodyLimit = bodyLimit
    }

    var isHeadWhole: Bool { headEnd > 0 }
    /// Was anything but empty lines seen?
    var hasBegun: Bool { scanned > begin }
    var keepsAlive: Bool { !wantsClose && (!isOldVersion || wantsKeepAlive) }

    mutating func parse(_ input: UnsafeMutableRawBufferPointer) -> Step {
        do throws(Refusal) {
            if headEnd == 0 {
                guard try parseHead(Bytes(input)) else { return .needMore(keep: input.count) }
            }
            return try parseBody(input)
        } catch {
            return .refused(error)
        }
    }

    private mutating func parseBody(_ input: UnsafeMutableRawBufferPointer) throws(Refusal) -> Step {
        switch framing {
        case .none: return .request(length: headEnd)
        case .sized:
            let end = headEnd + contentLength
            bodyEnd = min(end, input.count)
            return input.count >= end ? .request(length: end) : .needMore(keep: input.count)
        case .chunked:
            if try chunks.decode(input, from: &raw, to: &bodyEnd, limit: bodyLimit) {
                return .request(length: raw)
            }
            raw = bodyEnd
            return .needMore(keep: bodyEnd)
        }
    }

    /// Reads whole lines; true when the empty line was reached.
    private mutating func parseHead(_ input: Bytes) throws(Refusal) -> Bool {
        while true {
            let bound = min(input.count, begin + headLimit)
            guard let feed = Grammar.lineFeed(input, scanned, bound) else {
                scanned = bound
                guard bound < begin + headLimit else {
                    throw target.isAbsent ? .requestLineTooLong : .headTooLarge
                }
                return false
            }
            // RFC 9112, 2.2: a recipient may take a bare LF as the end of a line. We do not: proxies differ.
            guard feed > lineStart, input[feed - 1] == 13 else { throw .bareLineFeed }
            let start = lineStart
            lineStart = feed + 1
            scanned = feed + 1
            if feed - 1 > start {
                let line = input.slice(start..<feed - 1)
                if target.isAbsent {
                    try parseRequestLine(line, at: start)
                } else {
                    try parseField(line, at: start, in: input)
                }
            } else if target.isAbsent {
                begin = feed + 1
            } else {
                headEnd = feed + 1
                bodyEnd = headEnd
                raw = headEnd
                try checkHead()
                return true
            }
        }
    }

    /// `method SP target SP HTTP/1.x` (RFC 9112, 3), with exactly one space at each place.
    private mutating func parseRequestLine(_ line: Bytes, at offset: Int) throws(Refusal) {
        guard !Grammar.hasControl(line) else { throw .controlByte }
        let nameEnd = Grammar.tokenLength(line)
        guard nameEnd > 0, nameEnd < line.count, line[nameEnd] == 32 else { throw .badRequestLine }
        let afterName = line.slice(nameEnd + 1..<line.count)
        guard let length = afterName.firstIndex(of: 32), length > 0 else { throw .badRequestLine }
        try parseVersion(afterName.slice(length + 1..<afterName.count))

        let text = afterName.slice(0..<length)
        guard Grammar.isTarget(text) else { throw .badTarget }
        let name = line.slice(0..<nameEnd)
        method = Method(name)
        methodText = Slice(offset, offset + nameEnd)
        target = Slice(offset + nameEnd + 1, offset + nameEnd + 1 + length)
        try parseTarget(text, isConnect: name.equals("CONNECT"))
    }

    private mutating func parseVersion(_ version: Bytes) throws(Refusal) {
        guard version.count == 8, version.slice(0..<5).equals("HTTP/"), version[6] == 46,
            version[5] &- 48 < 10, version[7] &- 48 < 10
        else { throw .badVersion }
        // RFC 9110, 6.2: a higher minor version is treated as the highest one that we know.
        guard version[5] == 49 else { throw .unsupportedVersion }
        isOldVersion = version[7] == 48
    }

    /// origin-form, absolute-form, or the asterisk of OPTIONS (RFC 9112, 3.2).
    private mutating func parseTarget(_ text: Bytes, isConnect: Bool) throws(Refusal) {
        var start = 0
        if isConnect { throw .methodNotImplemented }
        if text[0] != 47 {
            if method == .options, text.equals("*") {
                path = target
                return
            }
            start = try Self.pathStart(ofAbsolute: text)
        }
        let base = Int(target.start)
        var question = start
        while question < text.count, text[question] != 63 { question += 1 }
        path = Slice(base + start, base + question)
        query = Slice(base + min(question + 1, text.count), base + text.count)
    }

    /// Where the path of `http://host/path` begins.
    private static func pathStart(ofAbsolute text: Bytes) throws(Refusal) -> Int {
        var start = 0
        if text.count > 7, text.slice(0..<7).equalsIgnoringCase("http://") { start = 7 }
        if text.count > 8, text.slice(0..<8).equalsIgnoringCase("https://") { start = 8 }
        var end = start
        while end < text.count, text[end] != 47, text[end] != 63 { end += 1 }
        guard start > 0, end > start, Grammar.isHost(text.slice(start..<end)) else { throw .badTarget }
        return end
    }

    /// `name ":" OWS value OWS` (RFC 9112, 5).
    private mutating func parseField(_ line: Bytes, at offset: Int, in input: Bytes) throws(Refusal) {
        if line[0] == 32 || line[0] == 9 { throw .obsoleteFolding }
        let colon = Grammar.tokenLength(line)
        // RFC 9112, 5.1: white space between the name and the colon must be refused.
        guard colon > 0, colon < line.count, line[colon] == 58 else { throw .badFieldName }
        let value = line.slice(colon + 1..<line.count)
        guard !Grammar.hasControl(value) else { throw .controlByte }
        fieldCount += 1
        guard fieldCount <= Self.maximumFields else { throw .tooManyFields }
        guard let header = Header(name: line.slice(0..<colon)) else { return }

        var low = colon + 1
        var high = line.count
        while low < high, line[low] == 32 || line[low] == 9 { low += 1 }
        while high > low, line[high - 1] == 32 || line[high - 1] == 9 { high -= 1 }
        note(header, line.slice(low..<high), Slice(offset + low, offset + high), in: input)
    }
}
