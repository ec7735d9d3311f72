import Foundations
import Testing

@testable import Payload

@Suite struct FormTests {
    @Test(arguments: [
        ("", "{}"), ("&", "{}"), ("a=1", #"{"a":"1"}"#), ("a=1&b=2", #"{"a":"1","b":"2"}"#),
        ("a", #"{"a":""}"#),
        ("a=", #"{"a":""}"#), ("=1", #"{"":"1"}"#), ("a=b=c", #"{"a":"b=c"}"#),
        ("a=1&&b=2&", #"{"a":"1","b":"2"}"#),
        ("a=1&b=x&a=2&a=3", #"{"a":["1","2","3"],"b":"x"}"#), ("a&a", #"{"a":["",""]}"#),
        ("%61=1&a=2", #"{"a":["1","2"]}"#), ("a+b=c+d", #"{"a b":"c d"}"#),
        ("a=%2B%20%26%3D", #"{"a":"+ &="}"#),
        ("a=%zz%4", #"{"a":"%zz%4"}"#), ("a=%", #"{"a":"%"}"#), ("a=%C3%A9%f0%9f%98%80", #"{"a":"é😀"}"#),
        ("a=%22%5C%0A%01", #"{"a":"\"\\\n\u0001"}"#), ("a=%00", "{\"a\":\"\u{fffd}\"}"),
        ("a=%ff%C3", "{\"a\":\"\u{fffd}\u{fffd}\"}"),
        ("a%00=1&a%EF%BF%BD=2", "{\"a\u{fffd}\":[\"1\",\"2\"]}"), ("a[]=1&a[]=2", #"{"a[]":["1","2"]}"#),
        ("é=1", #"{"é":"1"}"#),
        ("b=1&a=2", #"{"b":"1","a":"2"}"#), ("a=1;b=2", #"{"a":"1;b=2"}"#),
    ])
    func aFormBecomesAnObject(_ form: String, _ json: String) throws {
        var decoder = FormDecoder()
        var buffer = ByteBuffer()
        for _ in 0..<2 {
            buffer.removeAll()
            bytes(form) { _ = decoder.appendJSON($0, to: &buffer) }
            #expect(buffer.bytes.text == json)
        }
        #expect(SlowJSON.parse(Array(buffer.bytes)) != nil)
    }

    @Test func repairsAreNoted() {
        var decoder = FormDecoder()
        var buffer = ByteBuffer()
        #expect(bytes("a=%00") { decoder.appendJSON($0, to: &buffer) } == .nul)
        #expect(bytes("%ff=1&b=%00") { decoder.appendJSON($0, to: &buffer) } == [.nul, .utf8])
        #expect(bytes("a=1") { decoder.appendJSON($0, to: &buffer) } == [])
    }

    @Test func manyKeysAndManyValuesKeepTheirOrder() {
        let form = (0..<20_000).map { "k\($0 % 5_000)=\($0)" }.joined(separator: "&")
        let json =
            "{"
            + (0..<5_000).map { k in
                "\"k\(k)\":[" + (0..<4).map { "\"\(k + 5_000 * $0)\"" }.joined(separator: ",") + "]"
            }.joined(separator: ",") + "}"
        var decoder = FormDecoder()
        var buffer = ByteBuffer()
        bytes(form) { _ = decoder.appendJSON($0, to: &buffer) }
        #expect(buffer.bytes.text == json)
    }

    @Test(arguments: [
        ("page-view", "page-view"), ("a%20b", "a b"), ("a+b", "a+b"), ("%2f%2F", "//"), ("%", "%"),
        ("%4", "%4"), ("%g1", "%g1"),
        ("%%41", "%A"), ("%e2%82%ac", "€"), ("%e2%82", "\u{fffd}\u{fffd}"),
        ("%ed%a0%80", "\u{fffd}\u{fffd}\u{fffd}"),
        ("x%00y", "x\u{fffd}y"), ("", ""),
    ])
    func aPathSegmentIsDecoded(_ path: String, _ text: String) {
        var buffer = ByteBuffer()
        buffer.append("/" as StaticString)
        bytes(path) { _ = PercentDecoding.append($0, to: &buffer) }
        #expect(buffer.bytes.text == "/" + text)
    }

    @Test(arguments: [
        ("", #""""#), ("a", #""a""#), ("\"\\/", #""\"\\/""#), ("12345678\n", #""12345678\n""#),
        ("\u{8}\t\n\u{c}\r", #""\b\t\n\f\r""#),
        ("\u{1}\u{1f}\u{7f}", "\"\\u0001\\u001f\u{7f}\""), ("é漢😀", "\"é漢😀\""), ("\0", "\"\u{fffd}\""),
        ("1234567é\"", #""1234567é\"""#),
    ])
    func aTextIsQuoted(_ text: String, _ json: String) {
        var buffer = ByteBuffer()
        appendJSONString(text, to: &buffer)
        #expect(buffer.bytes.text == json)
    }

    @Test func whatIsNotUTF8IsQuotedAsAReplacement() {
        var buffer = ByteBuffer()
        let raw: [UInt8] = [0x61, 0xff, 0x62, 0xc3]
        #expect(raw.withUnsafeBytes { appendJSONString($0, to: &buffer) } == .utf8)
        #expect(buffer.bytes.text == "\"a\u{fffd}b\u{fffd}\"")
    }
}
