import Foundation
import TestSupport
import Testing

/// A page of another origin, in a real browser: what it may send, and what it may read (contract, section 4).
///
/// The page writes a line for each thing that it tried; the browser prints the page when it is done.
@Suite struct BrowserTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    @Test func aPageOfAnotherOriginSendsAndReads() throws {
        let session = unique("browser")
        let said = try visit(
            """
            await attempt("json", () => fetch(track, {method: "POST", credentials: "include",
              headers: {"Content-Type": "application/json", "X-Custom": "1"}, body: body("json")}));
            await attempt("text", () => fetch(track, {method: "POST", body: body("text")}));
            await attempt("keepalive", () => fetch(track, {method: "POST", keepalive: true,
              headers: {"Content-Type": "application/json"}, body: body("keepalive")}));
            await attempt("unknown source", () => fetch(track, {method: "POST", credentials: "include",
              headers: {"Content-Type": "application/json"}, body: '{"source":{"id":"nobody"},"events":[]}'}));
            await attempt("no JSON", () => fetch(track, {method: "POST", credentials: "include",
              headers: {"Content-Type": "application/json"}, body: "{"}));
            await attempt("closed to this origin", () => fetch(track, {method: "POST", body:
              '{"source":{"id":"one-origin"},"events":[{"type":"x"}]}'}));
            say("beacon", navigator.sendBeacon(track, new Blob([body("beacon")], {type: "application/json"})));
            say("plain beacon", navigator.sendBeacon(track, body("plain-beacon")));
            """, session: session)
        let expected = [
            "json: 200 \(session)", "text: 200 \(session)", "keepalive: 200 \(session)",
            "unknown source: 401",
            "no JSON: 400", "closed to this origin: 401", "beacon: true", "plain beacon: true",
        ]
        for line in expected { #expect(said.contains { $0 == line }, "the page said: \(said)") }

        let sent = ["beacon", "json", "keepalive", "plain-beacon", "text"]
        try eventually("all that the page sent is stored") {
            let rows = try shop.database.rows(
                """
                select activity, properties->>'name' from event where session_id = $1 and source <> '@waymark'
                order by activity
                """,
                session)
            return rows == sent.map { [$0, "Zoë 😀"] }
        }
    }

    /// Lets the browser run a script on a page, and gives the lines that it wrote.
    private func visit(_ script: String, session: String) throws -> [Substring] {
        let folder = try Scratch.shared.newFolder("page")
        try writeFile("\(folder)/index.html", try page(script, session: session))
        let files = try Child(
            ["python3", "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder, "0"],
            output: "\(folder)/server.log")
        defer { files.end() }
        let port = try eventually("the page is served") {
            files.said.firstMatch(of: /port (\d+)/).map { $0.1 }
        }
        let browser = try run(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--user-data-dir=\(folder)/profile", "--user-agent=Mozilla/5.0 (X11; Linux x86_64) Test",
                "--virtual-time-budget=20000", "--dump-dom", "http://localhost:\(port)/index.html",
            ], within: 90)
        guard browser.output.contains("<title>done</title>") else {
            throw Failure("the page did not come to its end: \(browser.output.suffix(2000))")
        }
        return browser.output.split(separator: "\n").filter { $0.hasPrefix("- ") }.map { $0.dropFirst(2) }
    }

    private func page(_ script: String, session: String) throws -> String {
        try """
        <!doctype html><meta charset="utf-8"><title>running</title><pre id="said">
        </pre><script>
        const track = "http://\(shop.server.address)/track";
        const say = (what, how) => { document.getElementById("said").textContent += `\\n- ${what}: ${how}\\n`; };
        const body = type => JSON.stringify({source: {id: "shop-web"}, session: {id: "\(session)"},
          context: {page: "/"}, events: [{type, properties: {name: "Zoë 😀"}}]});
        const attempt = async (what, request) => {
          try {
            const answer = await request(), json = await answer.json();
            say(what, answer.status + (json.session ? " " + json.session.id : ""));
          } catch (error) { say(what, "unreadable"); }
        };
        (async () => {
        \(script)
        setTimeout(() => { document.title = "done"; }, 1000);
        })();
        </script>
        """
    }
}
