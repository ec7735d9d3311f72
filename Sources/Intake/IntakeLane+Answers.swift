import Foundations
import HTTP

/// Answers that need no disk: preflights, the operator's pages, refusals.
extension IntakeLane {
    func answerOptions(_ call: Call, _ resource: Resource, _ exchange: Exchange) {
        var source: SourceEntry?
        if case .collect(_, let id, _) = resource, let id = examiner.texts.decoded(id) {
            source = rules.sources.find(id).flatMap { $0.isEnabled ? $0 : nil }
        }
        var methods = resource.allowed
        if case .unknown = resource { methods = "GET, POST, OPTIONS" }
        headers.removeAll()
        headers.append("Allow: ")
        headers.append(methods)
        headers.append("\r\n")
        CrossOrigin.append(
            preflight: rules.echoed(call.origin, for: source), requestedHeaders: call.requestedHeaders,
            privateNetwork: call.wantsPrivateNetwork, methods: methods, to: &headers)
        lane.respond(exchange, status: 204, headers: headers.bytes)
    }

    func show(
        _ page: Intake.Pages.Page, _ call: Call, _ exchange: Exchange,
        contentType: StaticString = "application/json"
    ) {
        headers.removeAll()
        body.removeAll()
        headers.append("Cache-Control: no-store\r\n")
        CrossOrigin.append(origin: rules.echoed(call.origin, for: nil), to: &headers)
        let status = page(&body)
        lane.respond(
            exchange, status: status, contentType: contentType, headers: headers.bytes, body: body.bytes)
        body.shrinkIfLarge()
    }

    func refuse(_ refusal: Refusal, _ call: Call, _ exchange: Exchange) {
        intake.metrics.count(refusal)
        headers.removeAll()
        body.removeAll()
        refusal.appendHeaders(to: &headers)
        CrossOrigin.append(origin: rules.echoed(call.origin, for: examiner.source), to: &headers)
        refusal.appendBody(faults: examiner.reader.faults.bytes, to: &body)
        lane.respond(exchange, status: refusal.status, headers: headers.bytes, body: body.bytes)
        body.shrinkIfLarge()
    }
}

extension ByteBuffer {
    fileprivate mutating func shrinkIfLarge() {
        removeAll()
        shrink(to: 64 << 10)
    }
}
