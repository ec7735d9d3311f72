import Crypto
import Foundations
import Outbound

/// A secret under which deliveries are signed: `whsec_` and base64 (Standard Webhooks).
package struct SigningSecret: Sendable {
    private let key: [UInt8]

    /// Nil for anything else.
    package init?(_ text: String) {
        guard text.hasPrefix("whsec_"), let key = bytes(base64: String(text.dropFirst(6))), !key.isEmpty
        else {
            return nil
        }
        self.key = key
    }

    /// `v1,…` over the id, the attempt's time in seconds, and exactly the bytes that are sent.
    package func signature(id: String, timestamp: Int64, body: [UInt8]) -> String {
        var hmac = HMAC<SHA256>(key: SymmetricKey(data: key))
        hmac.update(data: Array("\(id).\(timestamp).".utf8))
        hmac.update(data: body)
        return "v1," + base64(Array(hmac.finalize()))
    }

    /// Whether one of the signatures of a header (separated by spaces) is right; takes the same time for each.
    package func accepts(header: String, id: String, timestamp: Int64, body: [UInt8]) -> Bool {
        let right = Array(signature(id: id, timestamp: timestamp, body: body).utf8)
        return header.split(separator: " ").reduce(false) { found, candidate in
            let given = Array(candidate.utf8)
            guard given.count == right.count else { return found }
            return zip(given, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0 || found
        }
    }
}
