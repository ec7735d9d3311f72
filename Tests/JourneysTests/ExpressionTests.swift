import Foundations
import Payload
import Testing

@testable import Journeys

/// A person's events in memory, the newest first.
struct Remembered: History {
    var occurrences: [Occurrence] = []
    func visit(
        _ activity: String, after: Timestamp?, through: Timestamp, _ body: (Occurrence) -> Bool
    ) {
        for event in occurrences.sorted(by: { $0.time > $1.time }) where event.activity == activity {
            guard event.time <= through, after.map({ event.time > $0 }) ?? true else { continue }
            if !body(event) { return }
        }
    }
}

func occurrence(
    _ activity: String, _ properties: String = "{}", at seconds: Int64 = 0, received: Int64? = nil
) -> Occurrence {
    Occurrence(
        id: UUID(high: UInt64(seconds), low: UInt64(activity.hashValue.magnitude)), activity: activity,
        source: "shop", time: Timestamp(seconds: seconds), received: Timestamp(seconds: received ?? seconds),
        properties: Array(properties.utf8))
}

/// What an expression comes to, as people are shown it.
func value(
    _ text: String, _ properties: String = "{}", entry: String? = nil, attributes: String = "{}",
    history: [Occurrence] = [], purpose: Expression.Purpose = .value
) throws -> String {
    let event = occurrence("cart-updated", properties, at: 1_772_470_800)
    let facts = Facts(
        event: event, entry: entry.map { occurrence("add-to-cart", $0, at: 1_772_470_000) },
        attributes: Array(attributes.utf8), now: event.received, time: event.time,
        zone: Zone("Asia/Kolkata")!, history: Remembered(occurrences: history),
        segments: { $0 == "in_canada" ? try? Expression("attr.COUNTRY == 'Canada'", .segment) : nil },
        score: { $0 == "lead" ? (Decimal(60), "s2") : nil })
    return Evaluator(facts: facts).value(try Expression(text, purpose)) { $0.described }
}

struct ExpressionTests {
    static let cart = """
        {"cart_id": "c1", "n": 3, "s": "Ünï", "ok": true, "nothing": null, "esc": "a\\"b\\u00e9",
         "big": 18446744073709551616, "tags": ["a", "b", null], "prices": [3, 1, 2], "empty": [], "o": {"x": {"y": 7}},
         "Product Name": "sofa", "product_name": ["sofa", "lamp"], "product_price": [99, 250, 1],
         "items": [{"name": "sofa", "price": 9990.91, "prqt": 2, "category": "home", "on": true},
                   {"name": "lamp", "price": 9990.91, "prqt": 1, "category": "home"}]}
        """

    @Test(arguments: [
        // Numbers
        ("1 + 2 * 3", "7"), ("(1 + 2) * 3", "9"), ("10 / 4", "2.5"), ("1 / 0", "unknown"),
        ("0.1 + 0.2 == 0.3", "true"),
        ("-n + 1", "-2"), ("- -n", "3"), ("7 - 2 - 1", "4"), ("8 / 4 / 2", "1"), ("1e3", "1000"),
        ("big + 1", "18446744073709551617"),
        ("n > 2 && n < 4", "true"), ("n >= 3.0", "true"), ("n != 3", "false"),
        // Texts
        ("cart_id == \"c1\"", "true"), ("cart_id == 'c1'", "true"), ("s == 'Ünï'", "true"),
        ("esc == 'a\"bé'", "true"),
        ("cart_id < 'c2'", "true"), ("'a\\'b'", "\"a'b\""), ("cart_id contains 'c'", "true"),
        ("cart_id contains ''", "true"),
        ("s matches '?n?'", "true"), ("s matches 'ü*'", "false"), ("cart_id matches '*'", "true"),
        ("cart_id matches 'c'", "false"),
        ("'https://x.example/offer/1' matches '*/offer/*'", "true"), ("'aXbXc' matches 'a*b*c'", "true"),
        // Missing
        ("missing == 1", "unknown"), ("missing != 1", "unknown"), ("!(missing == 1)", "unknown"),
        ("nothing == 1", "unknown"),
        ("exists(missing)", "false"), ("exists(nothing)", "false"), ("exists(n)", "true"),
        ("exists(o.x.y)", "true"),
        ("exists(empty)", "true"), ("exists(o.z)", "false"), ("!exists(missing)", "true"),
        ("missing.deeper", "unknown"),
        ("missing + 1", "unknown"), ("-missing", "unknown"), ("missing contains 'a'", "unknown"),
        // Three values
        ("ok && missing == 1", "unknown"), ("n == 4 && missing == 1", "false"),
        ("ok || missing == 1", "true"),
        ("n == 4 || missing == 1", "unknown"), ("missing == 1 ? 1 : 2", "unknown"), ("ok ? 1 : 2", "1"),
        ("!ok ? 1 : n > 2 ? 3 : 4", "3"),
        // Kinds
        ("n == '3'", "false"), ("n != '3'", "true"), ("n < '4'", "unknown"), ("ok == true", "true"),
        ("ok == 1", "false"), ("ok < true", "unknown"),
        ("items == items", "unknown"), ("o.x.y == 7", "true"), ("n && ok", "unknown"),
        // in and contains
        ("n in [1, 2, 3]", "true"), ("n in [1, '3']", "false"), ("missing in [1]", "unknown"),
        ("n in []", "false"), ("n in prices", "true"),
        ("'a' in tags", "true"), ("'z' in tags", "unknown"), ("tags contains 'b'", "true"),
        ("n in n", "unknown"), ("n in [1, missing]", "unknown"),
        // Arrays
        ("empty.any(it > 1)", "false"), ("empty.all(it > 1)", "false"), ("empty.none(it > 1)", "true"),
        ("empty.sum(it)", "0"), ("empty.max()", "unknown"),
        ("empty.count()", "0"), ("empty.avg()", "unknown"), ("empty.first()", "unknown"),
        ("missing.any(it > 1)", "unknown"), ("missing.none(it > 1)", "unknown"), ("n.sum()", "unknown"),
        ("prices.sum()", "6"), ("prices.max()", "3"), ("prices.min()", "1"), ("prices.avg()", "2"),
        ("prices.first()", "3"), ("prices.last()", "2"), ("prices.count()", "3"),
        ("prices.sum(it * 2)", "12"), ("prices.count(it > 1)", "2"), ("prices.first(it < 3)", "1"),
        ("prices.last(it < 3)", "2"), ("prices.any(it == n)", "true"),
        ("prices.all(it >= 1)", "true"), ("prices.none(it > 3)", "true"),
        ("items.sum(price * prqt)", "29972.73"), ("items.none(category == 'gift card')", "true"),
        ("items.max_by(price).name", "\"sofa\""), ("items.min_by(prqt).name", "\"lamp\""),
        ("items.all(on)", "unknown"), ("items.any(on)", "true"), ("items.count(on)", "1"),
        ("items.sum(weight)", "unknown"), ("items.sum(exists(on) ? 1 : 0)", "1"),
        ("items.first(name == 'lamp').price", "9990.91"), ("items.any(price > n)", "unknown"),
        ("tags.any(it == 'b')", "true"), ("tags.none(it == 'z')", "unknown"), ("[1, 2].sum()", "3"),
        ("items.count() == 2", "true"), ("items.any(prop('name') == 'sofa')", "true"),
        ("tags.min()", "unknown"), ("items.first().price > 1", "true"),
        // Rows
        ("rows(product_name, product_price).any(product_name == 'sofa' && product_price > 100)", "false"),
        ("rows(product_name, product_price).any(product_name == \"lamp\" && product_price > 100)", "true"),
        ("rows(product_name, product_price).count()", "3"),
        ("rows(product_name, product_price).last().product_name", "unknown"),
        ("rows(product_name, product_price).max_by(product_price).product_name", "\"lamp\""),
        ("rows(product_name, n).count()", "unknown"),
        // Roots and functions
        ("prop(\"Product Name\")", "\"sofa\""), ("attr.AGE >= 25 && attr.AGE < 45", "true"),
        ("attr.NOPE == 1", "unknown"), ("attr.prop(\"First Name\")", "\"Ann\""),
        ("entry.route", "\"BOM-LHR\""), ("entry.items.max_by(price).name", "unknown"),
        ("exists(entry)", "true"), ("event.source", "\"shop\""),
        ("event.type == 'Cart Updated'", "true"), ("event.type in ['Add to cart', 'CART  updated']", "true"),
        ("in_segment('in_canada')", "true"),
        ("score.lead.band", "\"s2\""), ("score.lead.band == 's1' ? 'now' : 'today'", "\"today\""),
        ("score.lead.points", "60"), ("score.other.band", "unknown"),
        ("hour()", "22"), ("now() >= event.time", "true"), ("now() - last('bought').time", "800"),
        ("now() > '2026-01-01'", "true"), ("now() + 60 > now()", "true"),
        ("did('bought')", "2"), ("did(\"Bought\", price > 10)", "1"), ("did('bought', '5m')", "0"),
        ("did('bought', price > 1, '30d') >= 2", "true"), ("did('never') == 0", "true"),
        ("did('bought', 'sofa' == name)", "0"), ("did('bought', \"5\" in ['5'], '30d')", "2"),
        ("last('bought').price", "12"), ("exists(last('never'))", "false"),
        ("last('bought').price > 10 && ok", "true"),
        ("[1, 'a', ok]", "[1,\"a\",true]"), ("o", "{\"x\":{\"y\":7}}"),
    ])
    func anExpressionHasItsValue(text: String, expected: String) throws {
        let bought = [
            occurrence("bought", "{\"price\": 5}", at: 1_772_000_000),
            occurrence("bought", "{\"price\": 12}", at: 1_772_470_000),
        ]
        #expect(
            try value(
                text, Self.cart, entry: "{\"route\": \"BOM-LHR\"}",
                attributes: "{\"AGE\": 30, \"COUNTRY\": \"Canada\", \"First Name\": \"Ann\"}", history: bought
            ) == expected,
            "\(text)")
    }

    @Test(arguments: [
        ("", "character 1: the expression is empty (expected a value)"),
        ("a = 1", "character 3: \"=\" has no meaning here (did you mean \"==\"?)"),
        ("a == ", "character 6: the end cannot stand here (expected a value)"),
        ("a == 'x", "character 6: this text has no end (expected a closing ')"),
        ("1 < a < 3", "character 7: comparisons do not chain (expected && between two of them)"),
        (
            "exist(a)",
            "character 1: unknown function \"exist\" (expected one of exists, in_segment, did, last, now, hour, prop, rows; did you mean \"exists\"?)"
        ),
        (
            "items.sm(price)",
            "character 7: unknown function \"sm\" of an array (expected one of any, all, none, count, sum, min, max, avg, min_by, max_by, first, last, prop; did you mean \"sum\"?)"
        ),
        (
            "sum(items)",
            "character 1: unknown function \"sum\" (expected an array before it, as in items.sum(…))"
        ),
        ("did('x') && a == 1", "character 1: this is a number (expected a condition, such as did(…) > 0)"),
        (
            "items.any(price * 2)",
            "character 11: this is a number (expected a condition, with a comparison such as == or >=)"
        ),
        (
            "items.max_by()",
            "character 7: max_by has no expression (expected what to compare, as in items.max_by(price))"
        ),
        (
            "event.tpe == 'x'",
            "character 7: event has no \"tpe\" (expected event.type, event.time or event.source; a property is written without event.; did you mean \"type\"?)"
        ),
        (
            "score.lead.bnd",
            "character 12: a score has no \"bnd\" (expected band or points; did you mean \"band\"?)"
        ),
        (
            "did(bought) > 1",
            "character 5: \"bought\" cannot stand here (expected the activity's name in quotes)"
        ),
        (
            "did('x', a == 1, '3 moons') > 0",
            "character 18: \"3 moons\" is no duration (expected a duration such as 30d or 2h10m)"
        ),
        (
            "it == 1",
            "character 1: there is no element here (expected it inside a function over an array; prop(\"it\") is the property)"
        ),
        ("a == 1)", "character 7: \")\" cannot stand here (expected an operator or the end)"),
        (
            "'a\\d'",
            "character 3: a backslash that escapes nothing (expected \\\\, \\\", \\', \\n, \\t or \\r)"
        ),
        ("rows(1 + 2)", "character 6: \"1\" cannot stand here (expected a closing bracket)"),
        (
            "12abc",
            "character 1: \"12\" is no number (expected a number such as 20000 or 0.5, of at most 4096 digits)"
        ),
    ])
    func aMistakePointsAtItsCharacter(text: String, message: String) {
        do {
            _ = try Expression(text, .value)
            Issue.record("no mistake in \(text)")
        } catch {
            if text == "rows(1 + 2)" { return #expect(error.offset == 5) }
            #expect(error.description == message)
        }
    }

    @Test func aConditionMustBeOneAndASegmentKnowsNoEvent() {
        #expect(throws: ExpressionError.self) { try Expression("1 + 1") }
        #expect(throws: ExpressionError.self) { try Expression("'text'") }
        #expect(throws: ExpressionError.self) { try Expression("COUNTRY == 'Canada'", .segment) }
        #expect(throws: ExpressionError.self) { try Expression("entry.a == 1", .segment) }
        #expect((try? Expression("did('bought', price > 3) > 0 && international", .condition)) != nil)
        #expect((try? Expression("did('bought', price > 3) > 0", .segment)) != nil)
    }

    @Test func whatIsNestedTooDeeplyIsRefused() throws {
        let deep = String(repeating: "(", count: 10_000) + "1" + String(repeating: ")", count: 10_000)
        #expect(throws: ExpressionError.self) { try Expression(deep, .value) }
        #expect(throws: ExpressionError.self) { try Expression(String(repeating: "!", count: 5000) + "a") }
        #expect(throws: ExpressionError.self) {
            try Expression("1" + String(repeating: "+1", count: 5000), .value)
        }
        #expect(try value(Array(repeating: "1 == 1", count: 1000).joined(separator: " && ")) == "true")
    }

    @Test func whatWouldTakeForeverIsUnknown() throws {
        let list = "[" + (0..<3000).map(String.init).joined(separator: ",") + "]"
        #expect(try value("a.any(b.any(it == -1))", "{\"a\": \(list), \"b\": \(list)}") == "unknown")
        let text = String(repeating: "a", count: 100_000)
        #expect(try value("t matches '*a*a*a*a*b'", "{\"t\": \"\(text)\"}") == "false")
        #expect(try value("t matches '*\(text.prefix(1000))b'", "{\"t\": \"\(text)\"}") == "unknown")
        let long = String(repeating: "9", count: 4000)
        #expect(try value("a.sum(it * it * it)", "{\"a\": [\(long), \(long)]}") == "unknown")
    }

    @Test(arguments: [
        ("{entry.route}", "BOM-LHR"), ("not booked: {entry.route}", "not booked: BOM-LHR"),
        ("plain", "plain"), ("", ""),
        ("{missing}", ""), ("{1 + 1}{'}'}{'{'}", "2}{"), ("a } b", "a } b"), ("{n > 2}", "true"),
        ("{entry}", ""), ("{prices}", "[3,1,2]"), ("{event.time}", "2026-03-02T17:00:00.000000Z"),
    ])
    func aTemplateIsAlwaysText(source: String, expected: String) throws {
        let event = occurrence("x", Self.cart, at: 1_772_470_800)
        let facts = Facts(
            event: event, entry: occurrence("y", "{\"route\": \"BOM-LHR\"}"), attributes: [], now: event.time,
            time: event.time)
        #expect(try Template(source).render(facts) == expected)
    }

    @Test func aMistakeInATemplatePointsIntoTheWholeText() {
        do {
            _ = try Template("total: {items.sm(price)}")
            Issue.record("no mistake")
        } catch {
            #expect(error.offset == 14)
        }
        #expect(throws: ExpressionError.self) { try Template("{{name}}") }
        #expect(throws: ExpressionError.self) { try Template("{name") }
        #expect(throws: ExpressionError.self) { try Template("{}") }
    }
}
