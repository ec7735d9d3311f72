internal import Foundations
import Glibc

/// Who the client is behind proxies: the right-most address of `X-Forwarded-For` that is not a trusted proxy.
///
/// Everything to the left of it may be made up by the client, so it is never looked at. Without a trusted peer
/// the field means nothing.
enum ForwardedFor {
    static func client(peer: IPAddress, head: Bytes, trusted: [Network]) -> IPAddress {
        guard isTrusted(peer, trusted) else { return peer }
        var client = peer
        var lines: [Bytes] = []
        var fields = FieldLines(head)
        while let (name, value) = fields.next() {
            if name.equalsIgnoringCase("x-forwarded-for") { lines.append(value) }
        }
        for line in lines.reversed() {
            var end = line.count
            while end > 0 {
                let start = (line.slice(0..<end).lastIndex(of: 44) ?? -1) + 1
                let element = line.slice(start..<end).trimmed
                end = start - 1
                if element.count == 0 { continue }
                guard let address = address(element) else { return client }
                client = address
                guard isTrusted(address, trusted) else { return client }
            }
        }
        return client
    }

    private static func isTrusted(_ address: IPAddress, _ trusted: [Network]) -> Bool {
        for network in trusted where network.contains(address) { return true }
        return false
    }

    /// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`.
    static func address(_ element: Bytes) -> IPAddress? {
        var text = element
        if text.count > 1, text[0] == 91 {
            guard let bracket = text.firstIndex(of: 93) else { return nil }
            text = text.slice(1..<bracket)
        } else if let colon = text.firstIndex(of: 58), text.lastIndex(of: 58) == colon {
            text = text.slice(0..<colon)
        }
        guard text.count > 0, text.count < 46 else { return nil }
        return IPAddress(text.text)
    }
}
