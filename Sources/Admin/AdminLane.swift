import Dispatch
import Foundations
import HTTP
import Logging
import Postgres

/// The admin API on its lane: who asks, what for, and is it asked rightly. What needs the database is handed to the
/// workroom, so that the lane never waits.
final class AdminLane: LaneHandler, @unchecked Sendable {  // owner of all state: the lane's queue
    private let lane: Lane
    private let router: Router
    private let workroom: Workroom
    /// For what takes longer.
    private let patientRoom: Workroom
    private let tokens: Locked<Tokens>
    private let logger: Logger
    private var headers = ByteBuffer(capacity: 256)
    private var body = ByteBuffer(capacity: 4096)

    init(
        _ lane: Lane, router: Router, workroom: Workroom, patientRoom: Workroom, tokens: Locked<Tokens>,
        logger: Logger
    ) {
        (self.lane, self.router, self.workroom, self.patientRoom) = (lane, router, workroom, patientRoom)
        (self.tokens, self.logger) = (tokens, logger)
    }

    func handle(_ request: borrowing Request, _ exchange: Exchange) {
        dispatchPrecondition(condition: .onQueue(lane.queue))
        do throws(Refusal) {
            try answer(request, exchange)
        } catch {
            refuse(error, exchange)
        }
    }

    func headers(forRefused request: borrowing Request, _ out: inout ByteBuffer) {
        out.append("Cache-Control: no-store\r\n")
    }

    private func answer(_ request: borrowing Request, _ exchange: Exchange) throws(Refusal) {
        // Before anything else: a stranger is not told what is here.
        guard let access = tokens.withLock({ $0 }).access(of: request.header(.authorization)) else {
            throw .unauthorized
        }
        let (route, found) = try router.find(request.path)
        guard let endpoint = route.endpoints.first(where: { $0.verb.isAsked(by: request) }) else {
            throw .methodNotAllowed(route.allowed)
        }
        if endpoint.access == .write, access != .write { throw .forbidden }
        var inquiry = Inquiry(mayWrite: access == .write)
        inquiry.arguments = try endpoint.arguments(path: found, query: request.query)
        inquiry.body = try endpoint.readBody(
            request.body, contentType: request.header(.contentType),
            encoding: request.header(.contentEncoding))
        try perform(endpoint, inquiry, exchange)
    }

    private func perform(
        _ endpoint: Endpoint, _ inquiry: Inquiry, _ exchange: Exchange
    ) throws(Refusal) {
        switch endpoint.work {
        case .memory(let work):
            finish(Result { try work(inquiry) }.mapError { $0 as? Refusal ?? .failed }, endpoint, exchange)
        case .database(let work): try hand(work, endpoint, inquiry, exchange, to: workroom)
        case .patient(let work): try hand(work, endpoint, inquiry, exchange, to: patientRoom)
        }
    }

    private func hand(
        _ work: @escaping @Sendable (Inquiry, Connection) throws -> JSONValue, _ endpoint: Endpoint,
        _ inquiry: Inquiry, _ exchange: Exchange, to room: Workroom
    ) throws(Refusal) {
        let job = Workroom.Job(
            inquiry: inquiry, access: endpoint.access, work: work,
            deliver: { [weak self] result in
                guard let self else { return }
                lane.queue.async {
                    self.lane.answering { self.finish(result, endpoint, exchange) }
                }
            }, askedAt: room.clock.monotonic())
        guard room.take(job) else { throw .unavailable("too much is asked at the moment") }
    }

    private func finish(_ result: Result<JSONValue, Refusal>, _ endpoint: Endpoint, _ exchange: Exchange) {
        switch result {
        case .failure(let refusal): refuse(refusal, exchange)
        case .success(let value): respond(exchange, endpoint.status, value)
        }
    }

    private func refuse(_ refusal: Refusal, _ exchange: Exchange) {
        headers.removeAll()
        if let (name, value) = refusal.header {
            headers.append(name)
            headers.append(": " as StaticString)
            headers.append(value)
            headers.append("\r\n" as StaticString)
        }
        respond(exchange, refusal.status, refusal.body)
    }

    /// Sends `headers` as well, and empties them.
    private func respond(_ exchange: Exchange, _ status: Int, _ value: JSONValue) {
        headers.append("Cache-Control: no-store\r\n" as StaticString)
        body.removeAll()
        body.append(value)
        body.append(UInt8(ascii: "\n"))
        lane.respond(exchange, status: status, headers: headers.bytes, body: body.bytes)
        headers.removeAll()
        body.removeAll()
        body.shrink(to: 64 << 10)
    }
}

extension Endpoint.Verb {
    /// HEAD is a GET whose body is not sent (RFC 9110, 9.3.2).
    fileprivate func isAsked(by request: borrowing Request) -> Bool {
        switch self {
        case .get: request.method == .get || request.method == .head
        case .post: request.method == .post
        case .delete: request.methodText.equals("DELETE")
        }
    }
}
