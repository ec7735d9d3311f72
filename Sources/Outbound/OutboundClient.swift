import Foundations
import Logging

/// How the client behaves for all requests.
package struct OutboundOptions: Sendable {
    package var agent = "Waymark"
    /// Connections that are kept for the next request.
    package var kept = 512
    /// For how long the answer of a look-up is used.
    package var lookupSeconds = 60

    package init() {}
}

/// Sends requests to servers of others, and mails: thousands at a time, on one thread of its own, with libcurl.
///
///     let client = try OutboundClient(logger: logger)
///     client.send(OutboundRequest(url: "https://crm.example/hook", body: body)) { result in … }
///
/// Each completion is called exactly once, on that thread, and must hand over rather than work. Whatever is still on
/// its way at `stop()` fails with `.stopped`.
package final class OutboundClient: Sendable {
    private let loop: OutboundLoop

    package init(_ options: OutboundOptions = OutboundOptions(), logger: Logger) throws(SystemError) {
        loop = try OutboundLoop(options, logger)
        try loop.start()
    }

    deinit { loop.stop() }

    package func send(_ request: OutboundRequest, completion: @escaping OutboundCompletion) {
        loop.add(Transfer(.request(request), completion: completion))
    }

    /// Several at once wake the thread once.
    package func send(_ requests: [(request: OutboundRequest, completion: OutboundCompletion)]) {
        loop.add(requests.map { Transfer(.request($0.request), completion: $0.completion) })
    }

    package func send(_ mail: OutboundMail, completion: @escaping OutboundCompletion) {
        loop.add(Transfer(.mail(mail), completion: completion))
    }

    /// Gives up what is on its way and ends the thread; may be called again.
    package func stop() { loop.stop() }
}
