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

    /// Why a definition cannot be used here; never with what a variable holds.
    package struct Fault: Error, CustomStringConvertible, Equatable {
        package let description: String
    }

    package init(
        _ definition: WebhookDefinition, environment: (String) -> String? = processEnvironment
    ) throws(Fault) {
        self.definition = definition
        func filled(_ text: String, _ key: String) throws(Fault) -> String {
            try Self.filled(text, key, of: definition, environment)
        }
        func wrong(_ key: String, _ problem: String) -> Fault {
            Fault(description: "\(key) of webhook \(definition.name) \(problem)")
        }
        url = try filled(definition.url, "url")
        if let problem = OutboundURL.problem(of: url) { throw wrong("url", problem) }
        func line(_ text: String, _ key: String) throws(Fault) -> String {
            let value = try filled(text, key)
            if HeaderCheck.isValue(value) { return value }
            throw wrong(key, "is no single line without control characters")
        }
        switch definition.authorization {
        case .basic(let user, let password):
            let name = try line(user, "basic.user")
            if name.isEmpty { throw wrong("basic.user", "is empty") }
            if name.contains(":") { throw wrong("basic.user", "holds a colon, which ends a user's name") }
            authorization = .basic(user: name, password: try line(password, "basic.password"))
        case .bearer(let token):
            let secret = try line(token, "bearer")
            if secret.isEmpty { throw wrong("bearer", "is empty") }
            authorization = .bearer(secret)
        case nil: authorization = nil
        }
        var headers: [(name: String, value: String)] = []
        for header in definition.headers {
            headers.append((header.name, try line(header.value, "headers.\(header.name)")))
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
    }

    /// Whom to mail when a webhook fails. It needs no secret: whoever cannot send deliveries can still say so.
    package static func alertTo(
        _ definition: WebhookDefinition, environment: (String) -> String? = processEnvironment
    ) throws(Fault) -> [String] {
        var addresses: [String] = []
        for text in definition.alert?.to ?? [] {
            let address = try filled(text, "alert.to", of: definition, environment)
            guard HeaderCheck.isMailAddress(address) else {
                throw Fault(description: "alert.to of webhook \(definition.name) is no mail address")
            }
            addresses.append(address)
        }
        return addresses
    }

    /// A text with every `${NAME}` filled in.
    private static func filled(
        _ text: String, _ key: String, of definition: WebhookDefinition, _ environment: (String) -> String?
    ) throws(Fault) -> String {
        switch expand(text, environment) {
        case .text(let text, _): return text
        case .mistake(let problem, _):
            throw Fault(description: "\(key) of webhook \(definition.name): \(problem)")
        }
    }

    /// The request of one attempt.
    ///
    /// - Parameter format: Of the body, which may have been made when the webhook had another one.
    package func request(
        id: UUID, body: [UInt8], format: WebhookDefinition.Format, at now: Timestamp
    ) -> OutboundRequest {
        var request = OutboundRequest(url: url, body: body)
        let id = id.description
        let type = format == .form ? "application/x-www-form-urlencoded" : "application/json"
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
