import Foundations

/// What the path of a request names. Segments are slices of the path, still percent-encoded.
enum Resource {
    case track
    /// `session` is empty when the path has none.
    case collect(type: Bytes, source: Bytes, session: Bytes)
    case health
    case readiness
    case metrics
    case unknown

    /// A trailing slash names the same resource. `/collect/x` is a collect whose source is blank: saying so
    /// helps more than "not found".
    init(path: Bytes) {
        let end = path.count > 1 && path[path.count - 1] == UInt8(ascii: "/") ? path.count - 1 : path.count
        let whole = path.slice(0..<end)
        if whole.equals("/track") {
            self = .track
        } else if whole.count > 8, whole.slice(0..<9).equals("/collect/") {
            self = Resource.collect(after: path.slice(9..<path.count))
        } else if whole.equals("/healthz") {
            self = .health
        } else if whole.equals("/readyz") {
            self = .readiness
        } else if whole.equals("/metrics") {
            self = .metrics
        } else {
            self = .unknown
        }
    }

    private static func collect(after rest: Bytes) -> Resource {
        var segments = (Bytes.empty, Bytes.empty, Bytes.empty)
        var count = 0
        var from = 0
        for i in 0...rest.count where i == rest.count || rest[i] == UInt8(ascii: "/") {
            let segment = rest.slice(from..<i)
            from = i + 1
            switch count {
            case 0: segments.0 = segment
            case 1: segments.1 = segment
            case 2: segments.2 = segment
            default:
                // Only the slash at the very end may follow the session.
                if count > 3 || !segment.isEmpty { return .unknown }
            }
            count += 1
        }
        return .collect(type: segments.0, source: segments.1, session: segments.2)
    }

    /// The methods that the resource answers, as the `Allow` header lists them.
    var allowed: StaticString {
        switch self {
        case .track: "POST, OPTIONS"
        case .collect: "GET, POST, OPTIONS"
        case .health, .readiness, .metrics: "GET, HEAD, OPTIONS"
        case .unknown: "OPTIONS"
        }
    }
}
