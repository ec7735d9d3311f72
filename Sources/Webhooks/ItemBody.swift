import Foundations
import Payload

/// Writes the JSON of one item, in the shapes and the order of keys that receivers of the original format expect.
///
///     A  {"webhook_name", "event_params", "custom_params", "att_params"}
///     B  {"channel", "custom_params", "att_params", "msgid", "webhook_name", "payload_params", "event_params",
///         "journey_name"}
///
/// What was received keeps its bytes, less white space outside of strings: numbers keep every digit.
struct ItemBody: ~Copyable {
    private let item: DeliveryItem
    private let webhook: WebhookDefinition
    private var out = ByteBuffer(capacity: 1024)
    private var traits = JSONDocument()
    private var properties = JSONDocument()

    /// The item's bytes as they are frozen when it is queued; for the format `standard` with its envelope.
    static func render(_ item: DeliveryItem, for webhook: WebhookDefinition) -> [UInt8] {
        var body = ItemBody(item, webhook)
        return item.traits.withUnsafeBytes { traits in
            (item.entry?.properties ?? []).withUnsafeBytes { properties in
                // What does not parse has nothing to say: the fields are left out.
                try? body.traits.parse(traits)
                try? body.properties.parse(properties)
                body.write()
                return Array(body.out.bytes)
            }
        }
    }

    private init(_ item: DeliveryItem, _ webhook: WebhookDefinition) {
        self.item = item
        self.webhook = webhook
    }

    /// Activities of a channel: `email-open` is `EMAIL_OPEN`.
    static let channelActivities: [String: Set<String>] = [
        "email": ["open", "click", "bounce"], "sms": ["delivered", "click"], "bpn": ["view", "click"],
        "apn": ["view", "click"],
    ]

    /// What `custom_params` holds after an activity of a channel, beside what the journey's step adds.
    static let ownParams = ["automationid", "link", "channel"]

    /// Channel and activity, when this is an activity of a channel.
    static func channel(of activity: String) -> (channel: String, activity: String)? {
        guard let end = activity.firstIndex(where: { $0 == "-" || $0 == "." }) else { return nil }
        let (channel, rest) = (String(activity[..<end]), String(activity[activity.index(after: end)...]))
        guard channelActivities[channel]?.contains(rest) == true else { return nil }
        return (channel, rest)
    }

    private mutating func write() {
        let channel = item.entry.flatMap { Self.channel(of: $0.activity) }
        if webhook.format == .standard {
            out.append("{\"type\":" as StaticString)
            string(item.entry?.activity ?? "journey")
            out.append(",\"timestamp\":" as StaticString)
            string((item.entry?.time ?? item.queuedAt).iso8601)
            out.append(",\"data\":" as StaticString)
        }
        if let (channel, activity) = channel { writeA(channel, activity) } else { writeB() }
        if webhook.format == .standard { out.append("}" as StaticString) }
    }

    private mutating func writeA(_ channel: String, _ activity: String) {
        out.append("{\"webhook_name\":" as StaticString)
        string("\(channel)_\(activity)".uppercased())
        out.append(",\"event_params\":{\"foreignkey\":" as StaticString)
        string(foreignKey)
        out.append(",\"linkid\":" as StaticString)
        if !raw(property: "linkid") { out.append("-1" as StaticString) }
        out.append("},\"custom_params\":{\"automationid\":\"" as StaticString)
        out.append(decimal: item.journeyNumber)
        out.append(UInt8(ascii: "\""))
        if let link = properties.root.member("link"), !link.isNull {
            out.append(",\"link\":" as StaticString)
            text(of: link)
        }
        out.append(",\"channel\":" as StaticString)
        string(channel)
        params(isFirst: false)
        out.append("},\"att_params\":" as StaticString)
        attributes()
        out.append("}" as StaticString)
    }

    private mutating func writeB() {
        let number = item.entry?.number
        out.append("{\"channel\":\"custom_activity\",\"custom_params\":{" as StaticString)
        params(isFirst: true)
        out.append("},\"att_params\":" as StaticString)
        attributes()
        out.append(",\"msgid\":\"" as StaticString)
        out.append(decimal: number ?? -1)
        out.append("\",\"webhook_name\":" as StaticString)
        string(webhook.label)
        out.append(",\"payload_params\":" as StaticString)
        if item.entry != nil, properties.root.kind == .object {
            compact(properties.root.bytes)
        } else {
            out.append("{}" as StaticString)
        }
        out.append(",\"event_params\":{\"activity_source\":" as StaticString)
        string(item.entry?.sourceKind ?? "")
        out.append(",\"ts\":" as StaticString)
        out.append(decimal: timestamp)
        out.append(",\"activity_id\":" as StaticString)
        out.append(decimal: number ?? -1)
        member("foreignkey", foreignKey)
        member("identity", item.identity ?? foreignKey)
        member("asset_name", item.entry?.assetName ?? "")
        member("asset_id", item.entry?.assetID ?? "")
        member("guid", item.profile?.description ?? "")
        member("activity_name", item.entry?.name ?? "")
        out.append("},\"journey_name\":" as StaticString)
        string(item.journey)
        out.append("}" as StaticString)
    }

    // MARK: Fields

    /// The primary key as text, whatever it is in the traits.
    private var foreignKey: String {
        guard let name = item.primaryKey, let value = trait(name), !value.isNull else { return "" }
        return Self.text(value)
    }

    /// `yymmddHHMMSS` on the panel's clocks.
    private var timestamp: Int {
        let time = item.entry?.time ?? item.queuedAt
        let local = time.adding(seconds: item.utcOffset)
        let date = CivilDate(daysSince1970: Int(local.day))
        let second = Int(local.seconds - local.day * 86_400)
        let clock = second / 3600 * 10_000 + second / 60 % 60 * 100 + second % 60
        return ((date.year % 100 * 100 + date.month) * 100 + date.day) * 1_000_000 + clock
    }

    private mutating func params(isFirst: Bool) {
        var isFirst = isFirst
        for (name, value) in item.params {
            if !isFirst { out.append(UInt8(ascii: ",")) }
            isFirst = false
            string(name)
            out.append(UInt8(ascii: ":"))
            string(value)
        }
    }

    private mutating func attributes() {
        out.append(UInt8(ascii: "{"))
        var isFirst = true
        for name in webhook.attributes {
            guard let value = trait(name), !value.isNull else { continue }
            if !isFirst { out.append(UInt8(ascii: ",")) }
            isFirst = false
            string(name)
            out.append(UInt8(ascii: ":"))
            compact(value.bytes)
        }
        out.append(UInt8(ascii: "}"))
    }

    /// A trait by its name, which may lead into objects: `address.city`.
    private func trait(_ name: String) -> JSONNode? {
        func member(_ node: JSONNode, _ name: Substring) -> JSONNode? {
            var text = String(name)
            return text.withUTF8 { node.member(decoded: Bytes($0)) }
        }
        if let whole = member(traits.root, name[...]) { return whole }
        var node = traits.root
        for part in name.split(separator: ".", omittingEmptySubsequences: false) {
            guard let next = member(node, part) else { return nil }
            node = next
        }
        return node
    }

    private mutating func raw(property name: StaticString) -> Bool {
        guard let value = properties.root.member(name), !value.isNull else { return false }
        compact(value.bytes)
        return true
    }

    // MARK: JSON

    private mutating func member(_ name: StaticString, _ value: String) {
        out.append(",\"" as StaticString)
        out.append(name)
        out.append("\":" as StaticString)
        string(value)
    }

    private mutating func string(_ text: String) { _ = appendJSONString(text, to: &out) }

    /// A value as a JSON string: a string as it came, anything else as its text.
    private mutating func text(of node: JSONNode) {
        if node.kind == .string { compact(node.bytes) } else { string(node.bytes.text) }
    }

    static func text(_ node: JSONNode) -> String {
        guard node.kind == .string else { return node.bytes.text }
        var characters = ByteBuffer(capacity: node.contents.count)
        node.appendText(to: &characters)
        return characters.bytes.text
    }

    private mutating func compact(_ text: Bytes) { out.append(compactJSON: text) }
}

extension ByteBuffer {
    /// JSON text without the white space between its tokens.
    mutating func append(compactJSON text: Bytes) {
        reserve(text.count)
        var inString = false
        var isEscaped = false
        var from = 0
        for at in 0..<text.count {
            let byte = text[at]
            if inString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
            } else if byte == UInt8(ascii: "\"") {
                inString = true
            } else if byte == 32 || byte == 9 || byte == 10 || byte == 13 {
                append(text.slice(from..<at))
                from = at + 1
            }
        }
        append(text.slice(from..<text.count))
    }
}
