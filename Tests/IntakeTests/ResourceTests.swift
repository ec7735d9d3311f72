import Foundations
import Testing

@testable import Intake

/// What a path names, written as a test compares it.
private func name(_ path: String) -> String {
    withBytes(path) { path in
        switch Resource(path: path) {
        case .track: "track"
        case .collect(let type, let source, let session):
            "collect \(type.text)|\(source.text)|\(session.text)"
        case .health: "health"
        case .readiness: "readiness"
        case .metrics: "metrics"
        case .unknown: "unknown"
        }
    }
}

@Test(arguments: [
    ("/track", "track"), ("/track/", "track"), ("/track//", "unknown"), ("/tracks", "unknown"),
    ("/Track", "unknown"), ("/", "unknown"), ("", "unknown"), ("*", "unknown"),
    ("/healthz", "health"), ("/readyz/", "readiness"), ("/metrics", "metrics"),
    ("/collect", "unknown"), ("/collect/", "unknown"), ("/collect/a", "collect a||"),
    ("/collect/a/", "collect a||"), ("/collect//b", "collect |b|"), ("/collect/a/b", "collect a|b|"),
    ("/collect/a/b/", "collect a|b|"), ("/collect/a/b/c", "collect a|b|c"),
    ("/collect/a/b/c/", "collect a|b|c"),
    ("/collect/a/b/c/d", "unknown"), ("/collect/a/b/c//", "unknown"),
    ("/collect/a%2Fb/c%20d", "collect a%2Fb|c%20d|"),
])
func aPathNamesAResource(path: String, expected: String) {
    #expect(name(path) == expected)
}
