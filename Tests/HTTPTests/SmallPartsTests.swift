import Foundations
import Testing

@testable import HTTP

@Suite struct SmallPartsTests {
    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
        (1_795_305_600, "Sun, 22 Nov 2026 00:00:00 GMT"),
    ])
    func aDateIsWrittenAsHTTPHasIt(_ seconds: Int, _ text: String) {
        var buffer = ByteBuffer()
        buffer.appendDateLine(Int64(seconds))
        #expect(buffer.bytes.text == "Date: \(text)\r\n")
    }

    @Test func anErrorBodyIsJSONWhateverItsText() {
        var buffer = ByteBuffer()
        let message: StaticString = "a \"quoted\" \\ word"
        buffer.appendErrorBody(status: 400, code: "bad", message: message)
        let text = #""a \"quoted\" \\ word""#
        #expect(
            buffer.bytes.text
                == "{\"detail\":\(text),\"error\":\(text),\"code\":\"bad\",\"message\":\(text),\"status\":400}"
        )
    }

    @Test(arguments: Header.allCases)
    func eachHeaderIsFoundByItsName(_ header: Header) {
        // The names of the cases are those of the fields, but for hyphens and case.
        let names = [
            "Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect", "Content-Type",
            "Content-Encoding", "Origin", "Authorization", "User-Agent", "Date", "Referer", "Accept",
            "Idempotency-Key", "X-Event-Time", "X-Request-ID", "X-Forwarded-For", "Forwarded",
            "Access-Control-Request-Method", "Access-Control-Request-Headers",
            "Access-Control-Request-Private-Network",
        ]
        #expect(names.count == Header.count && Header.count == Header.allCases.count)
        let name = names[Int(header.rawValue)]
        #expect(name.replacing("-", with: "").lowercased() == "\(header)".lowercased())
        for spelling in [name, name.lowercased(), name.uppercased()] {
            #expect(Array(spelling.utf8).withUnsafeBytes { Header(name: $0) } == header)
        }
        #expect(Array((name.dropLast() + "_").utf8).withUnsafeBytes { Header(name: $0) } == nil)
    }

    @Test(arguments: [
        ("a", true), ("0af7651916cd43dd8448eb211c80319c", true), ("a-b_c.d:e/f+g=h@i~", true), ("", false),
        ("a b", false), ("a\"b", false), ("a,b", false), ("<a>", false), ("ä", false),
        (String(repeating: "a", count: 128), true), (String(repeating: "a", count: 129), false),
    ])
    func onlyASaneRequestIDIsTakenOver(_ id: String, _ isSane: Bool) {
        #expect(Array(id.utf8).withUnsafeBytes { Grammar.isRequestID($0) } == isSane)
    }

    @Test func pendingRequestsKeepTheirListsWhileTheTableGrows() {
        var table = PendingTable()
        var last: [Int32] = [-1, -1]
        var first: [Int32] = [-1, -1]
        for i in 0..<1000 {
            let id = Array("id-\(i)".utf8)
            let entry = id.withUnsafeBytes { table.add(.init(sequence: UInt32(i)), id: $0) }
            if last[i % 2] < 0 { first[i % 2] = entry } else { table.append(entry, to: last[i % 2]) }
            last[i % 2] = entry
        }
        for list in 0..<2 {
            var entry = first[list]
            for i in stride(from: list, to: 1000, by: 2) {
                #expect(table[entry].sequence == UInt32(i))
                #expect(table.id(entry).text == "id-\(i)")
                entry = table.remove(entry)
            }
            #expect(entry == -1)
        }
        #expect(table.count == 0)
    }
}
