/// Why a request is not taken: what HTTP answers by itself, before it closes the connection.
enum Refusal: UInt8, Error, CaseIterable {
    case badRequestLine, requestLineTooLong, badTarget, badVersion, unsupportedVersion, methodNotImplemented
    case bareLineFeed, controlByte, obsoleteFolding, badFieldName, tooManyFields, headTooLarge
    case missingHost, severalHosts, badHost
    case badLength, severalLengths, lengthAndCoding, unknownCoding, badCoding, codingInOldVersion
    case bodyTooLarge, badChunk, badTrailer, unknownExpectation, severalEncodings, severalTypes
    case headTooSlow, bodyTooSlow, outOfMemory, tooManyConnections

    var status: Int {
        switch self {
        case .badRequestLine, .badTarget, .badVersion, .bareLineFeed, .controlByte, .obsoleteFolding,
            .badFieldName, .missingHost, .severalHosts, .badHost, .badLength, .severalLengths,
            .lengthAndCoding, .badCoding, .codingInOldVersion, .badChunk, .badTrailer:
            400
        case .headTooSlow, .bodyTooSlow: 408
        case .bodyTooLarge: 413
        case .requestLineTooLong: 414
        case .severalEncodings, .severalTypes: 415
        case .unknownExpectation: 417
        case .tooManyFields, .headTooLarge: 431
        case .methodNotImplemented, .unknownCoding: 501
        case .outOfMemory, .tooManyConnections: 503
        case .unsupportedVersion: 505
        }
    }

    /// A word for programs.
    var code: StaticString {
        switch status {
        case 408: "request_timeout"
        case 413: "body_too_large"
        case 414: "request_line_too_long"
        case 415: "unsupported_type"
        case 417: "expectation_failed"
        case 431: "head_too_large"
        case 501: "not_implemented"
        case 503: "overloaded"
        case 505: "version_not_supported"
        default: "bad_request"
        }
    }

    /// A sentence for people; it never repeats what was sent.
    var message: StaticString {
        switch self {
        case .badRequestLine: "The request line is malformed."
        case .requestLineTooLong: "The request line is too long."
        case .badTarget: "The request target is malformed."
        case .badVersion: "The HTTP version is malformed."
        case .unsupportedVersion: "Only HTTP/1.1 and HTTP/1.0 are spoken here."
        case .methodNotImplemented: "This method is not implemented."
        case .bareLineFeed: "Lines must end with CR LF."
        case .controlByte: "The head holds a control character."
        case .obsoleteFolding: "Header lines must not be folded."
        case .badFieldName: "A header field's name is malformed."
        case .tooManyFields: "There are too many header fields."
        case .headTooLarge: "The header fields are too large."
        case .missingHost: "The Host header field is missing."
        case .severalHosts: "There is more than one Host header field."
        case .badHost: "The Host header field is malformed."
        case .badLength: "Content-Length is malformed."
        case .severalLengths: "There is more than one Content-Length."
        case .lengthAndCoding: "Content-Length and Transfer-Encoding exclude each other."
        case .unknownCoding: "The only transfer coding is chunked."
        case .badCoding: "Transfer-Encoding is malformed."
        case .codingInOldVersion: "HTTP/1.0 has no Transfer-Encoding."
        case .bodyTooLarge: "The body is too large."
        case .badChunk: "The chunked body is malformed."
        case .badTrailer: "The trailer of the chunked body is malformed."
        case .unknownExpectation: "The only expectation is 100-continue."
        case .severalEncodings: "There is more than one Content-Encoding."
        case .severalTypes: "There is more than one Content-Type."
        case .headTooSlow: "The head of the request took too long."
        case .bodyTooSlow: "The body of the request came too slowly."
        case .outOfMemory: "Too much is being received at the moment."
        case .tooManyConnections: "There are too many connections."
        }
    }
}
