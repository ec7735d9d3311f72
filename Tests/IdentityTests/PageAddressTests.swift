import Foundations
import Testing

@testable import Identity

/// What is kept of a page's address, and what it says of a campaign.
struct PageAddressTests {
    @Test(arguments: [
        ("https://Shop.Example/Sale", "https://shop.example/Sale"),
        ("https://shop.example/?utm_source=x", "https://shop.example/"),
        ("https://shop.example/p?id=5&utm_source=x&fbclid=y", "https://shop.example/p?id=5"),
        ("https://shop.example/p?gclid=1&id=5#reviews", "https://shop.example/p?id=5"),
        ("https://shop.example/#/cart?x=1", "https://shop.example/#/cart?x=1"),
        ("https://shop.example/a#!/b", "https://shop.example/a#!/b"),
        ("/only/a/path?q=1", "/only/a/path?q=1"),
        ("app://home", "app://home"),
        (" https://shop.example ", "https://shop.example"),
        ("?utm_source=a&&b", "?b"),
        ("", ""),
    ])
    func whatTellsPagesApartIsKept(address: String, expected: String) {
        #expect(withBytes(address) { PageAddress.clean($0) } == expected)
    }

    @Test func aLongAddressIsCutBetweenCharacters() {
        let page = withBytes("https://shop.example/" + String(repeating: "ä", count: 2000)) {
            PageAddress.clean($0)
        }
        #expect(page.utf8.count <= PageAddress.longest && page.utf8.count > PageAddress.longest - 2)
        #expect(page.hasSuffix("ä"))
    }

    private func arrival(_ address: String, from referrer: String = "") -> Arrival {
        withBytes(address) { address in withBytes(referrer) { Arrival(address: address, referrer: $0) } }
    }

    @Test func aCampaignIsReadFromTheAddress() {
        let found = arrival(
            "https://s.example/?utm_source=News%20letter&UTM_Medium=e-mail&utm_campaign=Fr%C3%BChling+26"
                + "&utm_term=&utm_content=top#utm_term=no")
        #expect(found.utm == ["News letter", "e-mail", "Frühling 26", nil, "top"])
        #expect(found.clickSource == nil && found.referrer == nil)
    }

    @Test(arguments: [
        ("gclid=Cj0&fbclid=x", "gclid", "Cj0"), ("fbclid=IwAR0", "fbclid", "IwAR0"),
        ("msclkid=a%2Bb", "msclkid", "a+b"), ("x=1&ttclid=t", "ttclid", "t"), ("WBRAID=w", "wbraid", "w"),
    ])
    func aClickIdTellsWhoSentTheVisitor(query: String, source: String, id: String) {
        let found = arrival("https://s.example/p?\(query)")
        #expect(found.clickSource == source && found.clickID == id)
    }

    @Test(arguments: [
        ("https://www.google.com/search?q=x", "https://www.google.com/search?q=x"),
        ("https://S.Example/before", nil),
        ("android-app://com.google.android.gm/", "android-app://com.google.android.gm/"),
        ("", nil),
    ])
    func theSitesOwnPagesAreNoReferrer(referrer: String, expected: String?) {
        #expect(arrival("https://s.example/p", from: referrer).referrer == expected)
    }
}

/// Where the common snippets say what page it was.
struct PageFinderTests {
    private func page(context: String = "", properties: String = "", request: String = "") -> String? {
        var finder = PageFinder()
        return withBytes(context) { context in
            withBytes(properties) { properties in
                withBytes(request) { request in
                    let event = VisitEvent(
                        session: .empty, source: .empty, profile: nil, time: Timestamp(seconds: 1),
                        receivedAt: Timestamp(seconds: 1), properties: properties, context: context,
                        requestContext: request, userAgent: .empty, isLocked: true)
                    return finder.page(of: event, wantsArrival: true)
                        .map { $0.page + ($0.arrival.referrer.map { " ← " + $0 } ?? "") }
                }
            }
        }
    }

    @Test func theEventsOwnContextComesFirst() {
        func url(_ name: String) -> String { #"{"page":{"url":"https://s.example/\#(name)"}}"# }
        #expect(page(context: url("c"), properties: url("p"), request: url("r")) == "https://s.example/c")
        #expect(page(context: "{}", properties: url("p"), request: url("r")) == "https://s.example/p")
        #expect(page(properties: #"{"a":1}"#, request: url("r")) == "https://s.example/r")
        #expect(page(properties: #"{"a":1}"#) == nil)
    }

    @Test(arguments: [
        (#"{"url":"/a"}"#, "/a"), (#"{"page_url":"/a"}"#, "/a"), (#"{"href":"/a"}"#, "/a"),
        (#"{"location":"/a"}"#, "/a"), (#"{"page":{"path":"/a"}}"#, "/a"),
        (#"{"page":"home","url":"/b"}"#, "/b"),
        (#"{"url":7}"#, nil), (#"{"url":" "}"#, nil), (#"{"url":{"x":1}}"#, nil), (#"["url"]"#, nil),
        (
            #"{"page":{"url":"https:\/\/s.example\/ä","referrer":"https://x.example"}}"#,
            "https://s.example/ä ← https://x.example"
        ),
        (#"{"page":{"url":"/a","referrer":{"host":"x.example"}}}"#, "/a ← x.example"),
        (#"{"url":"/a","referrer":"https://x.example/"}"#, "/a ← https://x.example/"),
    ])
    func thePageIsFoundWhereSnippetsSayIt(properties: String, expected: String?) {
        #expect(page(properties: properties) == expected)
    }
}

private func withBytes<Result>(_ text: String, _ body: (Bytes) throws -> Result) rethrows -> Result {
    var text = text
    return try text.withUTF8 { try body(Bytes($0)) }
}
