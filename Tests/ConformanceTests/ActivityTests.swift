import Foundation
import TestSupport
import Testing

/// What a user does with activities (contract, sections 1 to 5).
@Suite struct ActivityTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    private func show(_ name: String) throws -> JSON {
        let (exit, output) = try shop.server.command("activities", "show", name, "--json")
        guard exit == .code(0) else { throw Failure(output) }
        return try JSON(text: output)
    }

    private func parameter(_ path: String, of name: String) throws -> JSON {
        let list = try show(name)["parameter_list"]?.list ?? []
        guard let found = list.first(where: { $0["path"]?.text == path }) else { throw Failure("no \(path)") }
        return found
    }

    private func send(_ type: String, _ properties: String) throws {
        _ = try shop.server.track(
            #"{"source":{"id":"shop-web"},"events":[{"type":\#(quoted(type)),"properties":\#(properties)}]}"#)
    }

    private static let items =
        #"{"items":[{"name":"sofa","price":9990.91},{"name":"lamp","price":49.5},{"name":"rug","price":1},{"name":"vase","price":2}]}"#

    @Test func arraysOfBothKindsAreDiscoveredAndTyped() throws {
        let name = unique("Product Purchase")
        let key = name.lowercased().replacingOccurrences(of: " ", with: "-")
        try send(name, Self.items)
        try send(name, #"{"product_name":["sofa","lamp"],"product_price":[9990.91,49.5]}"#)
        let price = try eventually("the price is known, and in the view") { () -> JSON? in
            let price = try parameter("items[].price", of: name)
            return price["column"] == .null ? nil : price
        }
        #expect(price["types"]?["decimal"] == 2)
        #expect(price["minimum"] == 1 && price["maximum"] == .number("9990.91"))
        #expect(price["column"] == "items.price")
        let rows = try eventually("the view is there") {
            try shop.database.rows(
                #"select index, name, price, pg_typeof(price) from activities."\#(key).items" order by index"#
            )
        }
        #expect(rows.map { $0[1] } == ["sofa", "lamp", "rug", "vase"])
        #expect(rows[0] == ["1", "sofa", "9990.91", "numeric"])
        let table = try eventually("the second event's view is there") {
            try shop.database.rows(
                #"select index, product_name, product_price from activities."\#(key).product" order by 1"#)
        }
        let own = try shop.database.rows(
            #"select "items.price", product_price from activities."\#(key)" order by product_price nulls first"#
        )
        #expect(own == [["{9990.91,49.5,1,2}", nil], [nil, "{9990.91,49.5}"]])
        #expect(table == [["1", "sofa", "9990.91"], ["2", "lamp", "49.5"]])
    }

    @Test func changesAreInTheHistoryAndOldQueriesRun() throws {
        let name = unique("change")
        try send(name, #"{"price":1,"qty":2}"#)
        let query = #"select price, qty from activities."\#(name)" order by time, event_id"#
        _ = try eventually("the view is there") { try shop.database.rows(query) }
        for properties in [
            #"{"price":1.5,"qty":2,"new":true}"#, #"{"price":"much","qty":2}"#,
            #"{"Price":1,"price":2,"qty":3}"#,
        ] {
            try send(name, properties)
        }
        let changes = try eventually("the changes are known") { () -> [JSON]? in
            let (_, output) = try shop.server.command("activities", "drift", name, "--json")
            let items = try JSON(text: output)["items"]?.list ?? []
            return items.contains { $0["change"] == "similar-name" } ? items : nil
        }
        let found = Set(changes.compactMap { $0["change"]?.text })
        #expect(
            found.isSuperset(of: ["activity-appeared", "appeared", "widened", "conflict", "similar-name"]))
        let conflict = try #require(changes.first { $0["change"] == "conflict" })
        #expect(conflict["source"] == "shop-web" && isUUID(conflict["event"]))
        try eventually("old queries run, and the misfit is null") {
            try shop.database.rows(query).map { $0[0] } == ["1", "1.5", nil, "2"]
        }
        try eventually("it is in the column for anything") {
            try shop.database.rows(#"select "price:any" from activities."\#(name)" where price is null"#)
                == [["\"much\""]]
        }
    }

    @Test func whatDoesNotFitAFrozenActivityIsQuarantinedAndReplayed() throws {
        let name = unique("frozen")
        try send(name, #"{"price":1.5,"quantity":2}"#)
        try eventually("it is known") { try show(name)["events"] == 1 }
        #expect(try shop.server.command("activities", "freeze", name).exit == .code(0))
        // A loader looks once a second: what it takes before that is stored.
        let reason = try eventually("it is quarantined", every: 0.3) { () -> JSON? in
            try send(name, #"{"price":1.5,"quantty":2}"#)
            try shop.flush()
            return try shop.database.value(
                "select to_jsonb(q)::text from quarantine q where activity = $1 limit 1", name
            ).map { try JSON(text: $0) }
        }
        #expect(reason["reason"] == "frozen")
        #expect(reason["detail", "nearest"] == "quantity")
        #expect(
            reason["pointer"]?.text?.hasPrefix("/properties/") == true || reason["pointer"] == "/properties")
        #expect(try shop.server.command("activities", "unfreeze", name).exit == .code(0))
        let (exit, output) = try shop.server.command(
            "quarantine", "replay", "--reason", "frozen", "--activity", name)
        #expect(exit == .code(0), "\(output)")
        try eventually("it is stored once, as if it had come then") {
            try shop.database.count("select count(*) from quarantine where activity = $1", name) == 0
                && shop.database.count(
                    "select count(*) from event where id::text = $1", reason["id"]?.text) == 1
        }
        let total = try shop.database.count("select count(*) from event where activity = $1", name)
        try eventually("the catalogue has it once") {
            try show(name)["events"] == .number("\(total)")
        }
    }

    @Test func extrasOfAFrozenActivityAreDroppedIfThatIsWanted() throws {
        let name = unique("dropping")
        try send(name, #"{"price":1.5}"#)
        try eventually("it is known") { try show(name)["events"] == 1 }
        #expect(try shop.server.command("activities", "freeze", name, "--extra", "drop").exit == .code(0))
        try eventually("an extra is dropped", every: 0.3) {
            let marker = unique("m")
            try send(name, #"{"price":2,"m":\#(quoted(marker))}"#)
            try shop.flush()
            let properties = try shop.database.value(
                "select properties::text from event where activity = $1 order by received_at desc, id desc limit 1",
                name)
            return properties == #"{"price": 2}"#
        }
        #expect(try shop.server.command("activities", "show", name).output.contains("drop"))
    }

    @Test func anUnknownActivityNamesTheNearest() throws {
        let name = unique("known")
        try send(name, "{}")
        try eventually("it is known") { try show(name)["events"] == 1 }
        let (exit, output) = try shop.server.command("activities", "show", name + "x")
        #expect(exit == .code(1))
        #expect(output.contains("did you mean “\(name)”?"))
        #expect(try shop.server.command("activities").output.contains(name))
        let schema = try shop.server.command("activities", "schema", name.uppercased())
        #expect(try JSON(text: schema.output)["$schema"]?.text?.contains("2020-12") == true)
    }

    @Test func metricsTellOfTheCatalogue() throws {
        try send(unique("counted"), "{}")
        try eventually("it is counted") {
            try (shop.server.metric("waymark_catalogue_events_total") ?? 0) > 0
        }
        #expect(try shop.server.metric("waymark_catalogue_up") == 1)
    }
}
