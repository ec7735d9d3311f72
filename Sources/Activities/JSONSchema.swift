/// Describes an activity's properties as a JSON Schema (draft 2020-12).
package enum JSONSchema {
    /// The schema's JSON text; `title` is the activity's key. `isFrozen`: what is unknown does not fit.
    package static func of(_ summary: ActivitySummary, title: String = "", isFrozen: Bool = false) -> String {
        "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\"}"
    }
}
