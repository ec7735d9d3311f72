import Foundation
import TestSupport
import Testing

/// Journeys against a running server: from the posted event to the bytes at the receiver, timers included.
@Suite(.serialized) struct JourneysTests {
    static let journeys = """
        probe:
          state: live
          on: {did: probe}
          reentry: always
          do: [{exit: done}]
        bought:
          state: live
          on: {did: product purchase, where: 'total >= 100'}
          reentry: always
          do: [{webhook: feed, params: {total: "{total}", order: "{order}"}}]
        cart:
          state: live
          on: {did: add to cart}
          key: cart
          reentry: per_key
          unless: {did: checkout, where: 'cart == entry.cart', within: 4s}
          do: [{webhook: feed, params: {cart: "{cart}"}}]
        bye:
          state: live
          on: {did: session end}
          do: [{webhook: feed, params: {bye: "{event.type}"}}]
        golden:
          state: live
          on: {did: visit}
          who: 'attr.tier == "gold"'
          key: visit
          reentry: per_key
          do: [{webhook: feed, params: {visit: "{visit}"}}]
        """

    static let world = Result {
        let world = try JourneysWorld(journeys) { $0.settings.append("sessions: {timeout: 3s}") }
        try world.settle()
        return world
    }

    let world: JourneysWorld

    init() throws { world = try Self.world.get() }

    @Test func theExactBodyArrives() throws {
        let (session, order) = (unique("s"), unique("order"))
        let time = Date().addingTimeInterval(-60)
        // Too cheap: nothing. The catalogue numbers the activity now.
        try world.track("product purchase", #"{"total": 99.99, "order": "\#(order)"}"#, session: session)
        let number = try eventually("the activity has a number") {
            try world.database.value("select id from activity where key = 'product-purchase'")
        }
        let answer = try world.track(
            "Product Purchase", #"{"total": 9990.91, "order": "\#(order)", "items":[{"price":1.50}]}"#,
            session: session,
            time: time)
        let body = try world.await(1, with: order)[0]
        let profile = try #require(answer["profile", "id"]?.text)
        let asset = try #require(body.components(separatedBy: "\"asset_id\":\"").last?.prefix(32))
        let stamp = String(JourneysWorld.format(time).filter(\.isNumber).dropFirst(2).prefix(12))
        #expect(
            body == """
                {"acme":[{"channel":"custom_activity","custom_params":{"total":"9990.91","order":"\(order)"},\
                "att_params":{},"msgid":"\(number)","webhook_name":"Feed",\
                "payload_params":{"total":9990.91,"order":"\(order)","items":[{"price":1.50}]},\
                "event_params":{"activity_source":"web","ts":\(stamp),"activity_id":\(number),"foreignkey":"",\
                "identity":"","asset_name":"Web shop","asset_id":"\(asset)","guid":"\(profile)",\
                "activity_name":"Product Purchase"},"journey_name":"bought"}]}
                """)
        let call = try #require(world.receiver.calls.last { $0.text.contains(order) })
        #expect(call.header("Content-Type") == "application/x-www-form-urlencoded")
        #expect(
            call.header("webhook-id")
                == (try world.database.value("select id from delivery where profile_id = $1::uuid", profile)))
        #expect(world.bodies(with: order).count == 1)
    }

    /// Of several identities the one that was given last is sent, also when it was given before another one already.
    @Test func theIdentityIsTheOneThatWasGivenLast() throws {
        let (session, mail) = (unique("s"), "\(unique("ada"))@example.com")
        let phone = "+49309018\(Int.random(in: 10_000...99_999))"
        func identity(_ given: String) throws -> String? {
            let order = unique("order")
            let properties = #"{"total": 100, "order": "\#(order)"\#(given)}"#
            try world.track("product purchase", properties, session: session)
            let body = try world.await(1, with: order)[0]
            return body.components(separatedBy: #""identity":""#).last?.components(separatedBy: "\"").first
        }
        #expect(try identity(#", "email": "\#(mail)""#) == mail)
        #expect(try identity(#", "phone": "\#(phone)""#) == phone)
        #expect(try identity(#", "email": "\#(mail)""#) == mail)
        #expect(try identity("") == mail)
        #expect(try identity(#", "phone": "\#(phone)", "email": "\#(mail)""#) == mail)
        #expect(try identity(#", "phone": "\#(phone)""#) == phone)
    }

    /// It is withdrawn by a late event, and comes again under its id.
    @Test func theEndOfAVisitStartsAJourneyOnce() throws {
        let session = unique("visit")
        let end = """
            select extract(epoch from time) from event where session_id = $1 and activity = 'session.end'
            """
        let begin = Date()
        try world.track("look", session: session)
        try world.await(1, with: session)
        let first = try #require(try world.database.value(end, session).flatMap(Double.init))
        try world.track("look", session: session, time: begin.addingTimeInterval(1))
        try eventually("it ends again, later") {
            try world.database.value(end, session).flatMap(Double.init) ?? 0 > first
        }
        // What ends behind it is told behind it.
        let other = unique("visit")
        try world.track("look", session: other)
        try world.await(1, with: other)
        #expect(world.bodies(with: session).count == 1)
    }

    /// Filled on the phone, bought at the desk, and only then does somebody sign in there.
    @Test func aPurchaseOfAnotherDeviceCountsOnceItIsKnownWhoseItIs() throws {
        let (cart, mail) = (unique("cart"), "\(unique("ada"))@example.com")
        let (phone, desk) = (unique("phone"), unique("desk"))
        try world.track("add to cart", #"{"cart": "\#(cart)", "email": "\#(mail)"}"#, session: phone)
        try world.track("checkout", #"{"cart": "\#(cart)"}"#, session: desk)
        #expect(try world.decisions("left", key: cart) == 0)
        try world.track("look", #"{"email": "\#(mail)"}"#, session: desk)
        #expect(try world.decisions("left", key: cart) == 1)
        #expect(world.bodies(with: cart).isEmpty)
    }

    @Test func theFirstEventOfAnActivityHasItsNumber() throws {
        let world = try JourneysWorld(
            "first:\n  state: live\n  on: {did: [first, second]}\n  key: order\n  reentry: per_key\n  do: [{webhook: feed}]"
        )
        let order = unique("order")
        try eventually("the journey is in force") {
            try world.track("first", #"{"order":"\#(unique("probe"))"}"#, session: unique("s"))
            return try world.database.count("select count(*) from delivery") > 0
        }
        try world.track("second", #"{"order":"\#(order)"}"#, session: unique("s"))
        let body = try world.await(1, with: order)[0]
        let number = try eventually("the catalogue has learnt from it") {
            try world.database.value("select id from activity where key = 'second' and events = 1")
        }
        #expect(
            body.contains(#""activity_id":\#(number),"#) && body.contains(#""msgid":"\#(number)""#), "\(body)"
        )
    }

    @Test func whatIsNotDoneInTimeFires() throws {
        let (abandoned, bought) = (unique("cart"), unique("cart"))
        try world.track("add to cart", #"{"cart":"\#(abandoned)"}"#, session: unique("s"))
        let session = unique("s")
        try world.track("add to cart", #"{"cart":"\#(bought)"}"#, session: session)
        try world.track("checkout", #"{"cart":"another"}"#, session: session)
        try world.track("checkout", #"{"cart":"\#(bought)"}"#, session: session)
        try world.await(1, with: abandoned)
        try world.awaitDecision("left", key: bought)
        #expect(try world.decisions("fired", key: bought) == 0)
        #expect(world.bodies(with: bought).isEmpty)
    }

    @Test func doneInTimeAndToldInTimeDisproves() throws {
        let (cart, session) = (unique("cart"), unique("s"))
        let begin = Date().addingTimeInterval(-600)
        // Ten minutes late, as is the evidence behind it: what counts is when it happened and that it was told.
        try world.track(
            "checkout", #"{"cart":"\#(cart)"}"#, session: session, time: begin.addingTimeInterval(1))
        try world.track("add to cart", #"{"cart":"\#(cart)"}"#, session: session, time: begin)
        try world.awaitDecision("left", key: cart)
        #expect(try world.decisions("fired", key: cart) == 0)
    }

    @Test func doneInTimeButToldTooLateIsRecordedOnly() throws {
        let (cart, session) = (unique("cart"), unique("s"))
        let begin = Date()
        try world.track("add to cart", #"{"cart":"\#(cart)"}"#, session: session, time: begin)
        try world.await(1, with: cart)
        try world.track(
            "checkout", #"{"cart":"\#(cart)"}"#, session: session, time: begin.addingTimeInterval(1))
        try world.awaitDecision("disproved_late", key: cart)
        #expect(world.bodies(with: cart).count == 1)
    }

    @Test func theAudienceIsAskedAfterTheEventHasChangedTheProfile() throws {
        let (session, visit) = (unique("s"), unique("visit"))
        try world.track("visit", #"{"visit":"\#(visit) 1","tier":"silver"}"#, session: session)
        try world.track("visit", #"{"visit":"\#(visit) 2","tier":"gold"}"#, session: session)
        let body = try world.await(1, with: visit)[0]
        #expect(body.contains("\(visit) 2") && body.contains(#""att_params":{"tier":"gold"}"#))
    }

    @Test func mergedPersonsGoOnAsOne() throws {
        let (a, b, cart, mail) = (unique("s"), unique("s"), unique("cart"), "\(unique("x"))@example.com")
        try world.track("page view", #"{"email":"\#(mail)"}"#, session: a)
        try world.track("add to cart", #"{"cart":"\#(cart)"}"#, session: b)
        // The one who put it into the cart turns out to be the other one, who bought it on another device.
        try world.track("page view", #"{"email":"\#(mail)"}"#, session: b)
        try world.track("checkout", #"{"cart":"\#(cart)"}"#, session: a)
        try world.awaitDecision("left", key: cart)
        #expect(try world.decisions("moved", key: cart) == 1)
        #expect(try world.decisions("fired", key: cart) == 0)
        #expect(
            try world.database.value(
                "select subject = person_of((select profile_id from session where id = $2)) from enrolment where key = $1",
                cart, a) == "t")
    }

    @Test func theEndOfASessionStartsAJourney() throws {
        let session = unique("s")
        let profile = try #require(try world.track("page view", session: session)["profile", "id"]?.text)
        try world.await(1, with: profile)
        #expect(world.bodies(with: profile)[0].contains(#""bye":"session.end""#))
    }

    @Test func aKilledServerDecidesItsTimersOnceItIsBack() throws {
        let world = try JourneysWorld(Self.journeys)
        try world.settle()
        let cart = unique("cart")
        try world.track("add to cart", #"{"cart":"\#(cart)"}"#, session: unique("s"))
        world.server.kill()
        try world.server.start()
        try world.server.awaitReady()
        try world.await(1, with: cart)
        world.server.kill()
        try world.server.start()
        try world.server.awaitReady()
        try world.settle()
        let ids = Set(
            world.receiver.calls.filter { $0.text.contains(cart) }.compactMap { $0.header("webhook-id") })
        #expect(ids.count == 1)
        #expect(try world.decisions("fired", key: cart) == 1)
    }

    @Test func twoServersShareTimers() throws {
        let second = try Server.ready(
            ServerOptions(sources: JourneysWorld.sources, database: world.database.conninfo))
        let carts = (0..<40).map { _ in unique("cart") }
        for (i, cart) in carts.enumerated() {
            try world.track(
                "add to cart", #"{"cart":"\#(cart)"}"#, session: unique("s"), on: i % 2 == 0 ? second : nil)
        }
        for cart in carts { try world.await(1, with: cart) }
        #expect(
            try world.database.count(
                "select count(*) from decision d join enrolment e on e.id = d.enrolment where d.kind = 'fired' and e.key = any(string_to_array($1, ' '))",
                carts.joined(separator: " ")) == 40)
        #expect(second.terminate() == .code(0))
    }

    @Test func aChangedJourneyLeavesRunningEnrolmentsOnTheirs() throws {
        let world = try JourneysWorld(Self.journeys)
        try world.settle()
        let cart = unique("cart")
        try world.track("add to cart", #"{"cart":"\#(cart)"}"#, session: unique("s"))
        let changed = Self.journeys.replacingOccurrences(
            of: #"params: {cart: "{cart}"}"#, with: #"params: {cart: "new {cart}"}"#)
        #expect(try world.apply(changed).contains("changed journey cart"))
        #expect(try world.plan().contains("nothing would change"))
        #expect(try world.await(1, with: cart)[0].contains(#""cart":"\#(cart)""#))
        // One that stands in no file any more: nobody enters, and nothing is left of it to be done.
        #expect(
            try world.apply(Self.journeys.components(separatedBy: "cart:\n")[0]).contains(
                "removed journey cart"))
    }

    @Test func whatARemovedJourneyDidIsStillExplained() throws {
        let world = try JourneysWorld(Self.journeys + "\n")
        try world.settle()
        let order = unique("order")
        let answer = try world.track(
            "product purchase", #"{"total": 100, "order": "\#(order)"}"#, session: unique("s"))
        try world.await(1, with: order)
        try world.apply(Self.journeys.components(separatedBy: "bought:\n")[0])
        let profile = try #require(answer["profile", "id"]?.text)
        let why = try world.server.command(
            "journeys", "explain", "--profile", profile, "--journey", "bought")
        #expect(why.output.contains("removed") && why.output.contains("fired: feed"), "\(why)")
    }

    @Test func whyAndWhyNot() throws {
        let (session, cart) = (unique("s"), unique("cart"))
        let answer = try world.track("add to cart", #"{"cart":"\#(cart)"}"#, session: session)
        try world.track("product purchase", #"{"total": 99.99}"#, session: session)
        try world.track("checkout", #"{"cart":"another"}"#, session: session)
        try world.track("checkout", #"{"cart":"\#(cart)"}"#, session: session)
        try world.awaitDecision("left", key: cart)
        let profile = try #require(answer["profile", "id"]?.text)
        let why = try world.server.command("journeys", "explain", "--profile", profile, "--journey", "cart")
            .output
        #expect(why.contains("disproved by checkout") && why.contains("enrolled: ended"), "\(why)")
        #expect(why.contains("unless checkout: cart == entry.cart is false"), "\(why)")
        #expect(why.contains(#"cart = "another""#), "\(why)")
        let not = try world.server.command("journeys", "explain", "--profile", profile, "--journey", "bought")
            .output
        #expect(not.contains("total >= 100: false") && not.contains("total = 99.99"), "\(not)")
        let nobody = try world.server.command(
            "journeys", "explain", "--profile", newUUID(), "--journey", "cart")
        #expect(nobody.exit == .code(1))
    }

    @Test func aMistypedNameIsAnsweredWithTheNearestOne() throws {
        let answer = try world.track("probe", session: unique("s"))
        let profile = try #require(answer["profile", "id"]?.text)
        let explain = try world.server.command(
            "journeys", "explain", "--profile", profile, "--journey", "crat")
        #expect(explain.output.contains(#"there is no journey crat (did you mean "cart"?)"#), "\(explain)")
        let backtest = try world.server.command("journeys", "backtest", "bougth", "--applied")
        #expect(
            backtest.output.contains(#"there is no journey bougth (did you mean "bought"?)"#), "\(backtest)")
        let folder = try Scratch.shared.newFolder("told")
        let text = """
            journeys: {j: {on: {did: a}, do: [{exit: done}]}}
            scenarios: {told_late: {journey: j, events: [], expect: []}}
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/all.yaml"))
        let simulate = try world.server.command("journeys", "simulate", folder, "--only", "told_lat")
        #expect(simulate.output.contains(#"(did you mean "told_late"?)"#), "\(simulate)")
        for answer in [explain, backtest, simulate] { #expect(answer.exit == .code(1)) }
    }

    @Test func whatIsExportedChangesNothingWhenApplied() throws {
        let text = try world.server.command("journeys", "export").output
        let folder = try Scratch.shared.newFolder("exported")
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/all.yaml"))
        let plan = try world.server.command("journeys", "plan", folder).output
        #expect(plan.contains("nothing would change"), "\(plan)\n\(text)")
    }

    @Test func theBacktestFiresWhatTheLiveJourneyFired() throws {
        let world = try JourneysWorld(Self.journeys + "\n")
        try world.settle()
        let carts = (0..<6).map { _ in unique("cart") }
        for (i, cart) in carts.enumerated() {
            let session = unique("s")
            try world.track("add to cart", #"{"cart":"\#(cart)"}"#, session: session)
            if i % 2 == 0 { try world.track("checkout", #"{"cart":"\#(cart)"}"#, session: session) }
        }
        for cart in carts { try world.awaitDecision("left", key: cart) }
        let output = try world.server.command("journeys", "backtest", "cart", "--applied", "--since", "1h")
            .output
        #expect(output.contains("enrolled 6, fired 3, for 3"), "\(output)")
        #expect(output.contains("the live version fired 3") && !output.contains("only the"), "\(output)")
    }

    /// What a later event makes of the profile is not seen before, though one transaction stores both.
    @Test func anEventFindsItsProfileAsItWasThen() throws {
        let world = try JourneysWorld(
            Self.journeys + """

                gilded:
                  state: live
                  on: {segment: goldies, enters: true}
                  reentry: always
                  do: [{webhook: feed, params: {gilded: "{attr.email}"}}]
                """, segments: #"{goldies: {where: 'attr.tier == "gold"'}}"#)
        try world.settle()
        let (early, late, mail) = (unique("visit"), unique("visit"), unique("a") + "@example.com")
        let events = [
            #"{"type":"visit","properties":{"visit":"\#(early)","email":"\#(mail)"}}"#,
            #"{"type":"page view","properties":{"tier":"gold"}}"#,
            #"{"type":"visit","properties":{"visit":"\#(late)"}}"#,
            #"{"type":"visit","properties":{"visit":"\#(unique("visit"))","tier":"silver"}}"#,
            #"{"type":"page view","properties":{"tier":"gold"}}"#,
            #"{"type":"page view","properties":{"tier":"bronze"}}"#,
        ]
        _ = try world.server.track(
            """
            {"source":{"id":"shop"},"session":{"id":\(quoted(unique("s")))},"options":{"debugger":true,"profile":true},
             "events":[\(events.joined(separator: ","))]}
            """)
        try world.await(2, with: #""gilded":"\#(mail)""#)
        let body = try world.await(1, with: late)[0]
        #expect(body.contains(#""att_params":{"tier":"gold"}"#), "\(body)")
        #expect(try world.decisions("fired", key: early) == 0)
        #expect(world.bodies(with: early).isEmpty && world.bodies(with: #""gilded":"\#(mail)""#).count == 2)
        #expect(
            try world.database.value(
                "select traits ->> 'tier' from profile where traits ->> 'email' = $1", mail) == "bronze")
    }

    @Test func aSegmentIsCountedAndListed() throws {
        let world = try JourneysWorld(
            Self.journeys,
            segments:
                #"{goldies: {where: 'attr.tier == "gold"'}, cheap: {where: 'did("visit", total < 5) > 0'}}"#
        )
        var gold: [String] = []
        for (i, tier) in ["gold", "silver", "gold"].enumerated() {
            let answer = try world.track(
                "visit", #"{"tier":"\#(tier)","total":\#(i * 5)}"#, session: unique("s"))
            if tier == "gold" { gold.append(try #require(answer["profile", "id"]?.text)) }
        }
        #expect(try world.server.command("segments", "count", "goldies").output.contains("2 of 3 profiles"))
        let list = try world.server.command("segments", "list", "goldies").output
        #expect(Set(list.split(separator: "\n").map(String.init)) == Set(gold))
        #expect(try world.server.command("segments", "count", "cheap").output.contains("1 of 3 profiles"))
        #expect(try world.server.command("segments", "count", "nothing").exit == .code(1))
    }
}
