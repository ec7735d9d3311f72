import Foundations
import Payload

/// Why something asked of the admin API is not done: the status, a code for programs, a sentence for people. None of
/// them repeats anything of what was sent, but for the mistakes of files.
struct Refusal: Error, Equatable {
    let status: Int
    let code: String
    let message: String
    /// What is wrong where; the `detail` of the body when there are any.
    var faults: [Fault] = []
    /// What is wrong with the files that were sent, a line each: these name what stands in them.
    private var mistakes: [String] = []
    /// Name and value of headers that only this refusal has.
    var header: (name: StaticString, value: String)? { headerOf(status) }
    /// What the `Allow` header of a 405 lists.
    private var allowed = ""
    private var seconds = 0

    init(_ status: Int, _ code: String, _ message: String, faults: [Fault] = []) {
        (self.status, self.code, self.message, self.faults) = (status, code, message, faults)
    }

    private func headerOf(_ status: Int) -> (name: StaticString, value: String)? {
        switch status {
        case 401: ("WWW-Authenticate", "Bearer")  // RFC 9110, 15.5.2: a 401 must say how to authenticate.
        case 405: ("Allow", allowed)
        case 503: ("Retry-After", "\(seconds)")
        default: nil
        }
    }
}

/// One thing that is wrong with what was sent.
struct Fault: Equatable {
    enum Place: String { case path, query, body }

    let place: Place
    let misfit: Misfit

    var json: JSONValue {
        [
            "type": .text(misfit.kind), "loc": .list([.text(place.rawValue)] + misfit.path),
            "msg": .text("expected \(misfit.expected)"),
            "pointer": .text(place == .body ? misfit.pointer : ""),
        ]
    }
}

extension Refusal {
    static let unauthorized = Refusal(
        401, "unauthorized", "send one of the admin tokens: Authorization: Bearer TOKEN")
    static let forbidden = Refusal(403, "forbidden", "this token may read only: send the write token")
    static let notFound = Refusal(404, "not_found", "there is nothing at this path")
    static let tooLarge = Refusal(413, "too_large", "this is larger than the admin API takes")
    static let unsupportedType = Refusal(415, "unsupported_type", "send application/json")
    static let unsupportedEncoding = Refusal(
        415, "unsupported_encoding", "send the body as it is, without a Content-Encoding")
    static let failed = Refusal(500, "failed", "this did not work; the server's log says why")

    /// There is no row with this id or key.
    static func missing(_ what: String) -> Refusal { Refusal(404, "not_found", "there is no such \(what)") }

    /// It is there, but not in a state in which this can be done.
    static func conflict(_ reason: String) -> Refusal { Refusal(409, "conflict", reason) }

    static func notJSON(_ error: JSONError) -> Refusal {
        Refusal(400, "not_json", "the body is not JSON: \(error)")
    }

    static func badParameters(_ faults: [Fault]) -> Refusal {
        Refusal(400, "bad_parameters", "parameters are unknown or not what they should be", faults: faults)
    }

    static func mistakes(_ lines: [String]) -> Refusal {
        var refusal = Refusal(409, "mistakes", "the files have mistakes")
        refusal.mistakes = lines
        return refusal
    }

    static func badBody(_ misfit: Misfit) -> Refusal {
        Refusal(
            422, "invalid", "the body is not what it should be", faults: [Fault(place: .body, misfit: misfit)]
        )
    }

    static func methodNotAllowed(_ allowed: String) -> Refusal {
        var refusal = Refusal(405, "method_not_allowed", "this resource does not answer that method")
        refusal.allowed = allowed
        return refusal
    }

    static func unavailable(_ reason: String, seconds: Int = 2) -> Refusal {
        var refusal = Refusal(503, "unavailable", reason)
        refusal.seconds = seconds
        return refusal
    }

    /// The same body as Intake's refusals have: each client library finds the key that it looks for.
    var body: JSONValue {
        let details =
            faults.map(\.json)
            + mistakes.map { line in
                ["type": "mistake", "loc": ["body", "files"], "msg": .text(line), "pointer": "/files"]
            }
        let detail: JSONValue = details.isEmpty ? .text(message) : .list(details)
        return [
            "detail": detail, "error": .text(message), "code": .text(code), "message": .text(message),
            "status": .integer(status),
        ]
    }

    static let shape = Shape.object(
        "Error",
        [
            "detail": .either(.text, .list(of: fault)).saying(
                "the sentence, or what is wrong where when several things may be"),
            "error": .text, "code": Shape.text.saying("for programs").like("not_found"),
            "message": Shape.text.saying("for people").like("there is no such activity"),
            "status": .integer(400...599),
        ])

    private static let fault = Shape.object(
        "Fault",
        [
            "type": Shape.text.saying(
                "missing, unknown, type_error, value_error, out_of_range, too_long, mistake …"),
            "loc": .list(of: .either(.text, .integer)).like(["query", "limit"]),
            "msg": Shape.text.like("expected a whole number from 1 to 500"),
            "pointer": Shape.text.saying("JSON pointer into the body; empty for parameters"),
        ])
}
