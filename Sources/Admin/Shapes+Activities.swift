import Activities
import Foundations

extension Shapes {
    private static let activityFields: KeyValuePairs<String, Shape> = [
        "key": Shape.text.like("product-purchase"),
        "id": Shape.count.saying("from 101 up; 1 and 2 are the server's own"),
        "label": Shape.text.saying("as it was first sent").like("Product Purchase"),
        "events": Shape.count.orNull.saying("how many were stored; null: nobody counts the server's own"),
        "parameters": .count, "sources": .list(of: .text), "first_seen_at": Shape.moment.orNull,
        "last_seen_at": Shape.moment.orNull,
        "rate": Shape.number.orNull.saying("events a second, over the latest of them"),
        "frozen": Shapes.freeze.orNull.saying("null: it is not frozen"),
        "view": Shape.text.orNull.saying("its typed view in the schema `activities`; null: not made yet"),
    ]

    static let freeze = Shape.object(
        "Freeze",
        [
            "since": .moment,
            "extra": Shape.oneOf(Freeze.Extra.allCases.map(\.rawValue)).saying(
                "what becomes of an event with a parameter that is not known: it goes into the quarantine, or is "
                    + "stored without it"),
        ])

    static let activity = Shape.object("Activity", activityFields)

    static func activity(_ activity: ActivityListing) -> JSONValue {
        [
            "key": .text(activity.key), "id": .integer(activity.id), "label": .text(activity.label),
            "events": JSONValue(activity.events), "parameters": .integer(activity.parameters),
            "sources": JSONValue(activity.sources), "first_seen_at": JSONValue(activity.firstSeen),
            "last_seen_at": JSONValue(activity.lastSeen), "rate": JSONValue(activity.rate),
            "frozen": activity.frozen.map { freeze($0) } ?? .null, "view": JSONValue(activity.view),
        ]
    }

    static func freeze(_ freeze: Freeze) -> JSONValue {
        ["since": JSONValue(freeze.since), "extra": .text(freeze.extra.rawValue)]
    }

    static let activityDetail = Shape.object(
        "ActivityDetail",
        [
            "activity": activity, "parameters": .list(of: parameter),
            "truncated": Shape.count.saying(
                "values that are in none of the parameters, since there were too many"),
            "views": Shape.list(
                of: .object(
                    nil,
                    [
                        "name": Shape.text.like("product-purchase.items"),
                        "columns": .list(of: .object(nil, ["name": .text, "type": .text])),
                    ])
            ).saying("views of the schema `activities`, its own first, then those of its arrays"),
        ])

    static func activity(_ detail: ActivityDetail) -> JSONValue {
        [
            "activity": activity(detail.listing),
            "parameters": .list(detail.parameters.map { parameter($0) }),
            "truncated": .integer(detail.truncated),
            "views": .list(
                detail.views.map { view in
                    let columns = view.columns.map { column -> JSONValue in
                        ["name": .text(column.name), "type": .text(column.kind.rawValue)]
                    }
                    return ["name": .text(view.name), "columns": .list(columns)]
                }),
        ]
    }

    private static let length = Shape.object("Lengths", ["shortest": .count, "longest": .count])

    static let parameter = Shape.object(
        "Parameter",
        [
            "path": Shape.text.like("items[].price"),
            "column": Shape.text.orNull.saying("its column in the activity's view"),
            "types": Shape.map(of: .count).saying("in how many values it was of which type").like([
                "integer": 3, "decimal": 40,
            ]),
            "presence": .oneOf("required", "sometimes", "rare"), "events": Shape.count.orNull,
            "missing": Shape.number.saying("in which share of the events it was missing, 0 to 1"),
            "minimum": Shape.number.orNull, "maximum": Shape.number.orNull, "mean": Shape.number.orNull,
            "characters": length.orNull.saying("of its texts"),
            "elements": length.orNull.saying("of its arrays"),
            "distinct": Shape.object("Distinct", ["count": .count, "exact": .flag]).orNull,
            "frequent": .list(
                of: .object("FrequentValue", ["value": .text, "count": .count, "exact": .flag])),
            "samples": .list(of: .text),
            "personal": Shape.list(of: .oneOf("email", "card", "phone", "iban", "token")).saying(
                "what personal values it had; then none of its values is kept"),
            "table": Shape.integer.orNull.saying(
                "parallel arrays with the same number are the columns of one table"),
            "first_seen_at": Shape.moment.orNull, "last_seen_at": Shape.moment.orNull,
            "first_event": Shape.id.orNull, "first_source": Shape.text.orNull,
            "first_client": Shape.text.orNull, "vanished_at": Shape.moment.orNull,
        ])

    static func parameter(_ parameter: ParameterListing) -> JSONValue {
        let types = parameter.types.map { JSONValue.Member(name: $0.name, value: .integer($0.count)) }
        let distinct = parameter.distinct.map { count -> JSONValue in
            ["count": .integer(count), "exact": .bool(parameter.isDistinctExact)]
        }
        let frequent = parameter.frequent.map { value -> JSONValue in
            ["value": .text(value.text), "count": .integer(value.count), "exact": .bool(value.isExact)]
        }
        return [
            "path": .text(parameter.path), "column": JSONValue(parameter.column), "types": .object(types),
            "presence": .text(parameter.presence), "events": JSONValue(parameter.events),
            "missing": .decimal(parameter.missing), "minimum": JSONValue(json: parameter.minimum),
            "maximum": JSONValue(json: parameter.maximum), "mean": JSONValue(json: parameter.mean),
            "characters": lengths(parameter.textLength), "elements": lengths(parameter.arrayLength),
            "distinct": distinct ?? .null, "frequent": .list(frequent),
            "samples": JSONValue(parameter.samples), "personal": JSONValue(parameter.personal),
            "table": JSONValue(parameter.table), "first_seen_at": JSONValue(parameter.firstSeen),
            "last_seen_at": JSONValue(parameter.lastSeen), "first_event": JSONValue(parameter.firstEvent),
            "first_source": JSONValue(parameter.firstSource),
            "first_client": JSONValue(parameter.firstClient),
            "vanished_at": JSONValue(parameter.vanishedAt),
        ]
    }

    private static func lengths(_ range: ClosedRange<Int>?) -> JSONValue {
        range.map { ["shortest": .integer($0.lowerBound), "longest": .integer($0.upperBound)] } ?? .null
    }

    static let drift = Shape.object(
        "DriftEntry",
        [
            "id": .count, "found_at": .moment,
            "change": Shape.oneOf(DriftEntry.Change.allCases.map(\.rawValue)),
            "path": Shape.text.orNull.saying("null: the activity itself"), "from": Shape.text.orNull,
            "to": Shape.text.orNull, "nearest": Shape.text.orNull.saying("the name that was probably meant"),
            "event": .id, "event_at": .moment, "source": .text, "client": .text,
        ])

    static func drift(_ entry: DriftListing) -> JSONValue {
        [
            "id": .integer(entry.id), "found_at": JSONValue(entry.foundAt), "change": .text(entry.change),
            "path": JSONValue(entry.path), "from": JSONValue(entry.from), "to": JSONValue(entry.to),
            "nearest": JSONValue(entry.nearest), "event": JSONValue(entry.event),
            "event_at": JSONValue(entry.eventAt), "source": .text(entry.source),
            "client": .text(entry.client),
        ]
    }
}
