import Foundations
import Testing

@testable import Activities

struct ViewPlanTests {
    /// `items[].price` as steps; names hold no dots here.
    private func steps(_ path: String) -> [ViewStep] {
        path.split(separator: ".").flatMap { part -> [ViewStep] in
            let name = part.prefix { $0 != "[" }
            let arrays = part.dropFirst(name.count).count / 2
            let own: ViewStep = name == "{*}" ? .anyMember : .member(ExactText(String(name)))
            return [own] + Array(repeating: .elements, count: arrays)
        }
    }

    private func parameter(_ path: String, _ families: ValueFamily...) -> ViewParameter {
        ViewParameter(
            steps: steps(path),
            families: families.enumerated().map { i, family in
                let time = Timestamp(seconds: Int64(i))
                return .init(family: family, first: EventKey(receivedAt: time, id: UUID(high: 0, low: 0)))
            })
    }

    private func plan(
        _ parameters: [ViewParameter], views: [TypedView] = [], tables: [[String]] = []
    ) -> [TypedView] {
        var names = ViewNames(taken: views.map(\.name))
        var plan = ViewPlan(key: "buy", views: views)
        plan.follow(parameters, parallel: tables.map { $0.map { steps($0) } }, names: &names)
        return plan.views
    }

    private func columns(_ view: TypedView) -> [String] {
        view.columns.map { "\($0.name) \($0.kind.rawValue)" }
    }

    @Test func scalarsListsAndNestedArraysAreColumns() {
        let views = plan([
            parameter("a", .number), parameter("b", .text), parameter("c", .boolean), parameter("d"),
            parameter("e", .object), parameter("e.f", .number), parameter("tags", .array),
            parameter("tags[]", .text), parameter("grid[][]", .number), parameter("m.{*}", .number),
        ])
        #expect(
            columns(views[0]) == [
                "a numeric", "b text", "c boolean", "e.f numeric", "tags text[]", "grid jsonb", "m.{*} jsonb",
            ])
        #expect(views.count == 1)
    }

    /// All three arrays of `grid[][][]` are called `grid`.
    @Test func everyIndexHasANameOfItsOwn() {
        let long = String(repeating: "x", count: 70)
        let views = plan([
            parameter("grid[][][]", .object), parameter("grid[][][].a", .number),
            parameter("\(long)[].b[]", .object), parameter("\(long)[].b[].c", .number),
        ])
        #expect(views.count == 3)
        for view in views {
            let names = view.fixed + view.columns.map(\.name)
            #expect(Set(names).count == names.count)
            #expect(names.allSatisfy { $0.utf8.count <= 63 })
        }
        #expect(views[1].fixed.dropFirst(5).first == "grid.index" && views[1].fixed.last == "index")
    }

    @Test func aViewHasAsManyColumnsAsPostgreSQLAllows() {
        let views = plan((0..<1_700).map { parameter("p\($0)", .number) })
        #expect(views[0].columns.count == 1_500)
        #expect(plan((900..<2_600).map { parameter("p\($0)", .number, .text) }, views: views) == views)
    }

    @Test func anArrayOfObjectsHasAViewOfItsOwn() {
        let views = plan([
            parameter("items", .array), parameter("items[]", .object), parameter("items[].price", .number),
            parameter("items[].parts", .array), parameter("items[].parts[]", .object),
            parameter("items[].parts[].id", .text), parameter("items[].index", .text),
        ])
        #expect(views.map(\.name) == ["buy", "buy.items", "buy.items.parts"])
        #expect(columns(views[0]) == ["items.price numeric[]", "items.parts.id jsonb", "items.index text[]"])
        #expect(views[1].columns[0].name == "price")
        #expect(views[1].columns[2].name.hasPrefix("index~"))
        #expect(views[2].fixed.suffix(2) == ["items.index", "index"])
        #expect(columns(views[2]) == ["id text"])
    }

    @Test func parallelArraysHaveAViewOfTheirOwn() {
        let parameters = ["p_name[]", "p_price[]", "p_size[]"].map { parameter($0, .text) }
        let views = plan(Array(parameters[..<2]), tables: [["p_name[]", "p_price[]"]])
        #expect(views.map(\.name) == ["buy", "buy.p"])
        #expect(columns(views[1]) == ["p_name text", "p_price text"])
        let more = plan(parameters, views: views, tables: [["p_name[]", "p_price[]", "p_size[]"]])
        #expect(more.map(\.name) == ["buy", "buy.p"])
        #expect(columns(more[1]).last == "p_size text")
    }

    @Test(arguments: [
        (["product_name", "product_price"], "product"), (["sku", "size"], "rows"),
        (["nameA", "nameB"], "name"),
        (["a", "b"], "rows"), (["x.a", "x.b"], "x"),
    ])
    func aTableIsNamedAfterWhatItsColumnsHaveInCommon(names: [String], name: String) {
        #expect(ViewPlan.commonName(of: names) == name)
    }

    @Test func aConflictAppendsAColumnAndChangesNone() {
        let before = plan([parameter("a", .number), parameter("b", .text)])
        let after = plan(
            [parameter("a", .number, .text), parameter("b", .text), parameter("a[]", .number)], views: before)
        #expect(columns(after[0]) == ["a numeric", "b text", "a:any jsonb"])
        #expect(plan([parameter("a", .number, .text)], views: after)[0] == after[0])
    }

    @Test func whatWasAListFirstStaysOne() {
        let before = plan([parameter("a", .array), parameter("a[]", .number)])
        let after = plan([parameter("a", .array, .number), parameter("a[]", .number)], views: before)
        #expect(columns(after[0]) == ["a numeric[]", "a:any jsonb"])
    }

    @Test func differentNamesNeverShareAColumn() {
        let names = [
            "time", "source", "\u{e9}", "e\u{301}", String(repeating: "x", count: 70),
            String(repeating: "x", count: 71),
        ]
        let views = plan(
            names.map { name in
                ViewParameter(
                    steps: [.member(ExactText(name))],
                    families: [
                        .init(
                            family: .text,
                            first: EventKey(receivedAt: Timestamp(seconds: 0), id: UUID(high: 0, low: 0)))
                    ])
            })
        let all = views[0].fixed + views[0].columns.map(\.name)
        #expect(views[0].columns.count == names.count)
        #expect(Set(all.map(ExactText.init)).count == all.count)
        #expect(all.allSatisfy { $0.utf8.count <= 63 })
    }
}
