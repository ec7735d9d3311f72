internal import Foundations

/// What a head's fields say about the message itself: where it ends, whether the connection stays.
extension RequestParser {
    /// Keeps a field that we know, and understands those that HTTP itself needs. `input` has what stood there before.
    mutating func note(_ header: Header, _ value: Bytes, _ slice: Slice, in input: Bytes) {
        let index = Int(header.rawValue)
        let isFirst = fields[index].isAbsent
        do throws(Refusal) {
            try understand(header, value, isFirst ? nil : input.slice(fields[index].range))
        } catch {
            fault = fault ?? error
        }
        if isFirst || header == .xForwardedFor { fields[index] = slice }
    }

    /// `before`: the same field's value, if this is not the first one.
    private mutating func understand(_ header: Header, _ value: Bytes, _ before: Bytes?) throws(Refusal) {
        let isFirst = before == nil
        switch header {
        case .host:
            guard isFirst else { throw .severalHosts }
            guard Grammar.isHost(value) else { throw .badHost }
        case .contentLength:
            // RFC 9112, 6.3 would allow equal ones; whoever sends several is broken or up to something.
            guard isFirst else { throw .severalLengths }
            try noteLength(value)
        case .transferEncoding:
            guard isFirst else { throw .badCoding }
            try noteCoding(value)
        case .connection: noteConnection(value)
        case .expect:
            guard isFirst, value.equalsIgnoringCase("100-continue") else { throw .unknownExpectation }
            expectsContinue = true
        case .contentEncoding:
            // RFC 9110, 5.3 and 8.4: several fields are one list, in which an empty element counts for nothing.
            guard isFirst || value.isEmpty else { throw .severalEncodings }
        case .contentType:
            guard before?.equals(value) ?? true else { throw .severalTypes }
        default: break
        }
    }

    private mutating func noteLength(_ value: Bytes) throws(Refusal) {
        guard value.count > 0, value.allSatisfy({ $0 &- 48 < 10 }) else { throw .badLength }
        for byte in value where contentLength <= bodyLimit {
            contentLength = contentLength * 10 + Int(byte - 48)
        }
        hasLength = true
    }

    private mutating func noteCoding(_ value: Bytes) throws(Refusal) {
        if value.equalsIgnoringCase("chunked") {
            framing = .chunked
            return
        }
        guard value.count > 0 else { throw .badCoding }
        // `chunked` twice, or not as the last one: the end of the body could not be found (RFC 9112, 6.1).
        var list = value
        var hasChunked = false
        while let coding = Grammar.nextElement(of: &list) {
            if hasChunked { throw .badCoding }
            hasChunked = coding.equalsIgnoringCase("chunked")
        }
        throw .unknownCoding
    }

    private mutating func noteConnection(_ value: Bytes) {
        var list = value
        while let option = Grammar.nextElement(of: &list) {
            if option.equalsIgnoringCase("close") { wantsClose = true }
            if option.equalsIgnoringCase("keep-alive") { wantsKeepAlive = true }
        }
    }

    /// What can only be judged when all fields are known.
    mutating func checkHead() throws(Refusal) {
        if let fault { throw fault }
        if fields[Int(Header.host.rawValue)].isAbsent, !isOldVersion { throw .missingHost }
        if framing == .chunked {
            // RFC 9112, 6.1 and 6.3: both lengths in one message is how requests are smuggled.
            if hasLength { throw .lengthAndCoding }
            if isOldVersion { throw .codingInOldVersion }
        } else if contentLength > 0 {
            framing = .sized
            if contentLength > bodyLimit { throw .bodyTooLarge }
        }
        // RFC 9110, 10.1.1: to be ignored in HTTP/1.0, and without a body.
        if isOldVersion || framing == .none { expectsContinue = false }
    }
}
