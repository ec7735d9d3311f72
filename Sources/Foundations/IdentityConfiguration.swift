/// What the operator says about persons, beyond the sources: how their identities and traits are kept.
package struct IdentityConfiguration: Sendable, Equatable {
    /// ISO 3166, two letters: the country of telephone numbers that do not say it; nil: unknown.
    package var country: String?
    package var kinds: [IdentityKind] = []
    package var traits: [TraitRule] = []

    package init() {}
}

/// A kind of thing that a person is known by: `email`, `phone`, the panel's primary key, or any other.
package struct IdentityKind: Sendable, Equatable {
    /// How a value is brought into the one form under which it is compared and kept.
    package enum Form: String, Sendable, CaseIterable {
        /// Trimmed, Unicode NFC.
        case text
        /// The same in lower case.
        case lower
        /// The same, and it has to look like an address.
        case email
        /// E.164 where the country is known.
        case phone
    }

    package var name: String
    package var form: Form
    /// A person may have several at a time: another one that nobody has does not make another person.
    package var several: Bool

    package init(_ name: String, form: Form, several: Bool) {
        (self.name, self.form, self.several) = (name, form, several)
    }

    /// A kind of which the configuration says nothing more.
    package init(_ name: String, primaryKey: String?) {
        let form: Form = name == "email" ? .email : name == "phone" ? .phone : .text
        self.init(name, form: form, several: form == .text && name != primaryKey)
    }

    /// Is taken: ids of sources with static profile ids are kept under it.
    package static let reserved = "static"
}

/// How a trait is kept when two persons turn out to be one, and what it may hold.
package struct TraitRule: Sendable, Equatable {
    package enum Merge: String, Sendable, CaseIterable { case latest, first, longest, union, sum }
    package enum Content: String, Sendable, CaseIterable { case any, text, number, boolean, time, list }

    package var name: String
    /// Nil: by what was done to it: lists are united, counts added, the rest goes by the latest.
    package var merge: Merge?
    package var content: Content = .any

    package init(_ name: String) { self.name = name }
}

/// A place in an event: `properties.customer.email`.
package struct ValuePath: Sendable, Hashable {
    package enum Root: String, Sendable, CaseIterable { case properties, context, traits }

    package var root: Root
    /// The members on the way, at least one.
    package var names: [String]

    package init(_ root: Root, _ names: [String]) { (self.root, self.names) = (root, names) }
}

/// An identification point: where events of a source show who somebody is.
package struct IdentityPoint: Sendable, Equatable {
    package var kind: String
    package var from: ValuePath
    /// Patterns of activity keys; empty: all.
    package var activities: [String] = []
    /// How long an event without a profile waits for somebody to become known by it, in microseconds.
    package var within: Int64 = 30 * 86_400_000_000
    /// The trait that it sets as well; nil: none.
    package var trait: String?
    /// Of telephone numbers that do not say it.
    package var country: String?

    package init(kind: String, from: ValuePath) { (self.kind, self.from, trait) = (kind, from, kind) }
}

/// A mapping from an event to a trait of its person.
package struct TraitMapping: Sendable, Equatable {
    package enum Operation: String, Sendable, CaseIterable {
        case set
        case setOnce = "set_once"
        case append, increment, unset
    }

    package enum Value: Sendable, Equatable {
        case from(ValuePath)
        /// JSON text.
        case constant(String)
        /// For `unset`.
        case nothing
    }

    /// A name, or `private.` and a name.
    package var trait: String
    package var operation: Operation
    package var value: Value
    /// Patterns of activity keys; empty: all.
    package var activities: [String] = []

    package init(_ operation: Operation, _ trait: String, _ value: Value) {
        (self.operation, self.trait, self.value) = (operation, trait, value)
    }
}

/// Somebody outside who is asked whom an event without a profile is about.
package struct OutsideLookup: Sendable, Equatable {
    /// With places to be filled in: `https://crm.example/who?voucher={properties.voucher_id}`.
    package var url: String
    package var user: String?
    package var password: String?
    /// In all, in microseconds.
    package var timeout: Int64 = 5_000_000
    /// How long an answer is good for the same URL, in microseconds.
    package var cache: Int64 = 3_600_000_000
    package var allowNetworks: [Network] = []
    /// Patterns of activity keys; empty: all.
    package var activities: [String] = []

    package init(url: String) { self.url = url }
}

extension ValuePath {
    /// `properties.customer.email`; nil: it has no known root, or nothing behind it.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 2, parts.allSatisfy({ !$0.isEmpty }), let root = Root(rawValue: parts[0]) else {
            return nil
        }
        self.init(root, Array(parts.dropFirst()))
    }
}
