/// What a JSON value must look like. The description of the API is made of shapes, and what is sent to it, and in
/// tests what it answers, is held to them.
struct Shape: Sendable {
    indirect enum Kind: Sendable {
        /// Whatever was sent by somebody else.
        case anything
        case flag
        case integer(ClosedRange<Int>?)
        case number
        case text(Text)
        case list(of: Shape)
        /// These members and no others.
        case object([Field], atLeast: Int)
        /// Members of any name.
        case map(of: Shape)
        case either([Shape])
    }

    struct Text: Sendable {
        enum Format: String, Sendable {
            case uuid
            case moment = "date-time"
        }
        /// In characters.
        var length: ClosedRange<Int>?
        var format: Format?
        /// Empty: any text.
        var choices: [String] = []
        /// A regular expression that both ECMAScript and Python understand.
        var pattern: String?
        /// What fits the pattern, in words.
        var meaning = ""
    }

    struct Field: Sendable {
        let name: String
        let shape: Shape
        /// Must it be there? In answers all are, null if need be.
        var isRequired = true
    }

    var kind: Kind
    var isNullable = false
    var explanation = ""
    var example: JSONValue?
    /// Under which it stands in the description's components; nil: in its place.
    var name: String?

    init(_ kind: Kind) { self.kind = kind }
}

// MARK: - In words that read like sentences

extension Shape {
    static let anything = Shape(.anything)
    static let flag = Shape(.flag)
    static let integer = Shape(.integer(nil))
    /// Not negative.
    static let count = Shape(.integer(0...Int.max))
    static let number = Shape(.number)
    static let text = Shape(.text(Text()))
    static let id = Shape(.text(Text(format: .uuid)))
    static let moment = Shape(.text(Text(format: .moment)))
    /// A time that a client said: any year, so not what JSON Schema calls a date-time.
    static let clientMoment = Shape.text.saying("ISO 8601, in UTC")
    /// An object of somebody else's.
    static let freeObject = Shape(.map(of: .anything))

    static func integer(_ range: ClosedRange<Int>) -> Shape { Shape(.integer(range)) }
    static func text(_ length: ClosedRange<Int>) -> Shape { Shape(.text(Text(length: length))) }
    static func text(pattern: String, _ meaning: String) -> Shape {
        Shape(.text(Text(pattern: pattern, meaning: meaning)))
    }
    /// What a page's `next` may be.
    static func cursor(_ pattern: String) -> Shape {
        text(pattern: pattern, "what the `next` of the page before said")
    }
    static func oneOf(_ choices: String...) -> Shape { Shape(.text(Text(choices: choices))) }
    static func oneOf(_ choices: [String]) -> Shape { Shape(.text(Text(choices: choices))) }
    static func list(of shape: Shape) -> Shape { Shape(.list(of: shape)) }
    static func map(of shape: Shape) -> Shape { Shape(.map(of: shape)) }
    static func either(_ shapes: Shape...) -> Shape { Shape(.either(shapes)) }

    /// These members, all of them there, and no others.
    static func object(_ name: String? = nil, _ fields: KeyValuePairs<String, Shape>) -> Shape {
        var shape = Shape(
            .object(fields.map { Field(name: $0.key, shape: $0.value) }, atLeast: 0))
        shape.name = name
        return shape
    }

    /// At least so many of these members, and no others.
    static func some(
        _ atLeast: Int, _ name: String? = nil, of fields: KeyValuePairs<String, Shape>
    ) -> Shape {
        var shape = Shape(
            .object(
                fields.map { Field(name: $0.key, shape: $0.value, isRequired: false) }, atLeast: atLeast))
        shape.name = name
        return shape
    }

    /// A page of a list.
    static func page(of item: Shape) -> Shape {
        .object(
            nil,
            [
                "items": .list(of: item),
                "next": Shape.text.orNull.saying(
                    "what to send as `after` for the next page; null: this is the last one"),
            ])
    }

    var orNull: Shape { with { $0.isNullable = true } }
    func saying(_ explanation: String) -> Shape { with { $0.explanation = explanation } }
    func like(_ example: JSONValue) -> Shape { with { $0.example = example } }

    private func with(_ change: (inout Shape) -> Void) -> Shape {
        var copy = self
        change(&copy)
        return copy
    }
}
