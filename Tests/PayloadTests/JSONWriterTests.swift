import Foundations
import Testing

@testable import Payload

struct JSONWriterTests {
    @Test func commasAreWhereTheyBelong() {
        var json = JSONWriter()
        json.object { json in
            json.member("a", 1)
            json.array("none") { _ in }
            json.array("b") { json in
                json.element("x")
                json.object { $0.member("y", true) }
                json.element(nil as Int?)
            }
            json.object("c") { $0.member("d", nil as String?) }
            json.member("e", [])
        }
        #expect(json.text == #"{"a":1,"none":[],"b":["x",{"y":true},null],"c":{"d":null},"e":[]}"#)
    }

    @Test(arguments: [
        (1.0, "1"), (0.5, "0.5"), (-2.25, "-2.25"), (1e300, "1e+300"), (.infinity, "null"), (.nan, "null"),
    ])
    func numbersAreJSON(value: Double, text: String) {
        var json = JSONWriter()
        json.array { $0.element(value) }
        #expect(json.text == "[\(text)]")
    }

    @Test func timesAndNamesAreQuoted() {
        var json = JSONWriter()
        json.object { $0.member("say \"hi\"", Timestamp(microseconds: 1_795_316_645_678_901)) }
        #expect(json.text == #"{"say \"hi\"":"2026-11-22T03:04:05.678901Z"}"#)
    }
}
