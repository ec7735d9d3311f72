package import Foundations

/// Answers the requests of one lane. All calls come on the lane's queue.
package protocol LaneHandler: AnyObject {
    /// Takes a request, which is valid only during the call; `lane.respond(exchange, …)` answers it, in the
    /// call or any time later.
    func handle(_ request: borrowing Request, _ exchange: Exchange)

    /// Called after each batch of requests: the moment to hand over what was gathered from them.
    func endSweep()

    /// Complete header lines (with CRLF) that an answer needs which HTTP itself gives, such as to a body that is too
    /// large: without them a page could not read it. Of a head that was not whole, the request has what came of it.
    func headers(forRefused request: borrowing Request, _ out: inout ByteBuffer)
}

extension LaneHandler {
    package func endSweep() {}
    package func headers(forRefused request: borrowing Request, _ out: inout ByteBuffer) {}
}
