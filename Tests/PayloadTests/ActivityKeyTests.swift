import Foundations
import Testing

@testable import Payload

@Suite struct ActivityKeyTests {
    @Test(arguments: [
        ("page-view", "page-view"), ("Page View", "page-view"), ("  Purchase \t\n Order ", "purchase-order"),
        ("a", "a"), ("A - B", "a---b"), ("snake_Case.V2", "snake_case.v2"), ("Über Größe", "über-größe"),
        ("\u{a0}Kauf\u{a0}\u{3000}Abschluss\u{2003}", "kauf-abschluss"), ("ΟΔΟΣ", "οδοσ"), ("İ", "i\u{307}"),
        ("ÀÉÎ ŻÓŁĆ", "àéî-żółć"), ("ПОКУПКА", "покупка"), ("購入 完了", "購入-完了"), ("ẞ", "ß"),
        ("😀 Smile", "😀-smile"),
        ("\u{10400}", "\u{10428}"), ("[@Z`{", "[@z`{"), ("\u{feff}a", "\u{feff}a"),
    ])
    func aLabelBecomesAKey(_ label: String, _ key: String) {
        var buffer = ByteBuffer()
        #expect(bytes(label) { ActivityKey.append(label: $0, to: &buffer) })
        #expect(buffer.bytes.text == key)
        // A key is its own key.
        buffer.removeAll()
        bytes(key) { _ = ActivityKey.append(label: $0, to: &buffer) }
        #expect(buffer.bytes.text == key)
    }

    @Test(arguments: ["", " ", "\t\n\u{b}\u{c}\r", "\u{a0}\u{2028}\u{3000}\u{85}"])
    func aBlankLabelHasNone(_ label: String) {
        var buffer = ByteBuffer()
        #expect(bytes(label) { !ActivityKey.append(label: $0, to: &buffer) })
        #expect(buffer.count == 0)
    }

    @Test func whatStandsInTheBufferAlreadyStays() {
        var buffer = ByteBuffer()
        buffer.append("x" as StaticString)
        #expect(bytes(" B c") { ActivityKey.append(label: $0, to: &buffer) })
        #expect(buffer.bytes.text == "xb-c")
    }
}
