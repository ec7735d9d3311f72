import ConfigurationFile
import Foundations
import Outbound

/// A webhook that this server can send to: its definition with every `${NAME}` filled in.
package struct Endpoint: Sendable {
    package let definition: WebhookDefinition
    let url: String
    let authorization: OutboundRequest.Authorization?
    let headers: [(name: String, value: String)]
    let secrets: [SigningSecret]
    let ca: String?
    package let alertTo: [String]

    /// Why a definition cannot be used here; never with what a variable holds.
    package struct Fault: Error, CustomStringConvertible, Equatable {
        package let description: String
    }

    package init(
        _ definition: WebhookDefinition, environment: (String) -> String? = processEnvironment
    ) throws(Fault) {
        self.definition = definition
        func filled(_ text: String, _ key: String) throws(Fault) -> String {
            switch expand(text, environment) {
            case .text(let text, _): return text
            case .mistake(let problem, _):
                throw Fault(description: "\(key) of webhook \(definition.name): \(problem)")
            }
        }
        func wrong(_ key: String, _ problem: String) -> Fault {
            Fault(description: "\(key) of webhook \(definition.name) \(problem)")
        }
        url = try filled(definition.url, "url")
        if let problem = OutboundURL.problem(of: url) { throw wrong("url", problem) }
        switch definition.authorization {
        case .basic(let user, let password):
            authorization = .basic(
                user: try filled(user, "basic.user"), password: try filled(password, "basic.password"))
        case .bearer(let token): authorization = .bearer(try filled(token, "bearer"))
        case nil: authorization = nil
        }
        var headers: [(name: String, value: String)] = []
        for header in definition.headers {
            let value = try filled(header.value, "headers.\(header.name)")
            guard HeaderCheck.isValue(value) else {
                throw wrong("headers.\(header.name)", "is no single line without control characters")
            }
            headers.append((header.name, value))
        }
        self.headers = headers
        var secrets: [SigningSecret] = []
        for text in definition.sign {
            guard let secret = SigningSecret(try filled(text, "sign")) else {
                throw wrong("sign", "is not whsec_ and base64")
            }
            secrets.append(secret)
        }
        self.secrets = secrets
        var ca: String?
        if let path = definition.ca { ca = try filled(path, "ca") }
        self.ca = ca
        var to: [String] = []
        for address in definition.alert?.to ?? [] { to.append(try filled(address, "alert.to")) }
        alertTo = to
    }

    /// The request of one attempt.
    package func request(id: UUID, body: [UInt8], at now: Timestamp) -> OutboundRequest {
        var request = OutboundRequest(url: url, body: body)
        let id = id.description
        let type =
            definition.format == .form ? "application/x-www-form-urlencoded" : "application/json"
        request.headers = [
            ("Content-Type", type), ("webhook-id", id), ("webhook-timestamp", "\(now.seconds)"),
        ]
        if !secrets.isEmpty {
            let signatures = secrets.map { $0.signature(id: id, timestamp: now.seconds, body: body) }
            request.headers.append(("webhook-signature", signatures.joined(separator: " ")))
        }
        request.headers += headers
        request.authorization = authorization
        request.timeout = Int(definition.timeout / 1000)
        request.connectTimeout = min(5000, request.timeout)
        request.allowNetworks = definition.allowNetworks
        request.ca = ca
        return request
    }
}
