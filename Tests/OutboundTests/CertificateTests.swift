import Foundation
import Logging
import TestSupport
import Testing

@testable import Outbound

/// Certificates are verified, and `ca` adds one.
@Suite struct CertificateTests {
    private static let server = """
        import http.server, ssl, sys
        class Hook(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers['Content-Length']))
                self.send_response(200); self.send_header('Content-Length', '0'); self.end_headers()
        server = http.server.HTTPServer(('127.0.0.1', 0), Hook)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print('port', server.server_port, flush=True)
        server.serve_forever()
        """

    @Test func aCertificateOfNobodyWeTrustIsRefusedUnlessItsAuthorityIsAdded() throws {
        let folder = try Scratch.shared.newFolder("tls")
        let (certificate, key) = ("\(folder)/certificate.pem", "\(folder)/key.pem")
        let made = try run([
            "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", key, "-out", certificate,
        ])
        try #require(made.exit == .code(0), "\(made.output)")
        try writeFile("\(folder)/server.py", Self.server)
        let child = try Child(
            ["/usr/bin/python3", "\(folder)/server.py", certificate, key], output: "\(folder)/log")
        defer { child.end() }
        let port = try eventually("a port") { () -> String? in
            child.said.split(separator: "\n").first { $0.hasPrefix("port ") }.map { String($0.dropFirst(5)) }
        }
        let client = try ClientTests.client()
        var request = ClientTests.request("https://127.0.0.1:\(port)/")
        let error = try #require(throws: OutboundError.self) { try client.exchange(request).get() }
        #expect(error.kind == .tls)
        request.ca = certificate
        #expect(try client.exchange(request).get().status == 200)
        // … and the connection that was made with it serves nobody who did not add it.
        request.ca = nil
        #expect(throws: OutboundError.self) { try client.exchange(request).get() }
        request.ca = "\(folder)/none.pem"
        #expect(throws: OutboundError.self) { try client.exchange(request).get() }
        // The name must be right as well.
        resolverFree(port, certificate, client)
    }

    private func resolverFree(_ port: String, _ certificate: String, _ client: OutboundClient) {
        var request = ClientTests.request("https://localhost:\(port)/")
        request.ca = certificate
        #expect(throws: OutboundError.self) { try client.exchange(request).get() }
    }
}
