import ConfigurationFile
import Foundations
import Payload

extension WebhookDefinition {
    /// The definition as the table `webhook` keeps it: the keys of the YAML files, those with a default left out, in
    /// one order, so that equal definitions have equal texts. Secrets stay references.
    package var json: String {
        let usual = WebhookDefinition(name: name, url: url)
        var json = JSONWriter()
        json.object { json in
            json.member("label", label)
            json.member("url", url)
            if format != usual.format { json.member("format", format.rawValue) }
            switch authorization {
            case .basic(let user, let password):
                json.object("basic") { json in
                    json.member("user", user)
                    json.member("password", password)
                }
            case .bearer(let token): json.member("bearer", token)
            case nil: break
            }
            if !headers.isEmpty {
                json.object("headers") { json in
                    for header in headers { json.member(header.name, header.value) }
                }
            }
            if !attributes.isEmpty { json.member("attributes", attributes) }
            if timeout != usual.timeout { json.member("timeout", timeout.durationText) }
            if batch != usual.batch {
                json.object("batch") { json in
                    json.member("max", batch.max)
                    if batch.linger > 0 { json.member("linger", batch.linger.durationText) }
                }
            }
            if order != usual.order { json.member("order", order.rawValue) }
            if limit != usual.limit {
                json.object("limit") { json in
                    json.member("concurrency", limit.concurrency)
                    if let rate = limit.rate {
                        json.member("rate", "\(rate.count)/\(rate.microseconds.durationText)")
                    }
                }
            }
            writeRest(&json, usual)
        }
        return json.text
    }

    private func writeRest(_ json: inout JSONWriter, _ usual: WebhookDefinition) {
        if let alert {
            json.object("alert") { json in
                json.member("to", alert.to)
                json.member("every", alert.every.durationText)
                json.member("recovery", alert.recovery)
            }
        }
        if !sign.isEmpty { json.member("sign", sign) }
        if success != usual.success { json.member("success", success.rawValue) }
        if retries4xx { json.member("retry_4xx", true) }
        if let ca { json.member("ca", ca) }
        if !allowNetworks.isEmpty {
            json.member("allow_networks", allowNetworks.map(\.text))
        }
        if disableAfter != usual.disableAfter { json.member("disable_after", disableAfter.durationText) }
    }

    /// Reads what `json` wrote; nil when it is of another make. (JSON is YAML.)
    package init?(name: String, json: String) {
        let findings = Findings()
        let document = Document(json, environment: nil, findings: findings)
        guard let root = document.root,
            let read = WebhookReader(name: name, path: name, root, directory: "", findings: findings)
                .definition
        else { return nil }
        self = read
    }
}

extension Network {
    /// `10.0.0.0/8`
    package var text: String {
        address.isV4 && prefix >= 96 ? "\(address)/\(prefix - 96)" : "\(address)/\(prefix)"
    }
}
