import Foundations

/// An activity as lists show it.
package struct ActivityListing: Sendable, Equatable {
    package let key: String
    /// From 101 up; 1 and 2 are the server's own.
    package let id: Int
    /// As it was first sent.
    package let label: String
    /// How many were stored; nil for the server's own, which nobody counts.
    package let events: Int?
    package let parameters: Int
    package let sources: [String]
    package let firstSeen: Timestamp?
    package let lastSeen: Timestamp?
    /// Events a second, over the latest of them.
    package let rate: Double?
    package let frozen: Freeze?
    /// Its typed view in the schema `activities`; nil: not made yet.
    package let view: String?
}

/// Since when an activity is frozen, and what becomes of what does not fit.
package struct Freeze: Sendable, Equatable {
    package enum Extra: String, Sendable, CaseIterable {
        /// An event with a parameter that is not known goes into the quarantine.
        case quarantine
        /// It is stored without it.
        case drop
    }

    package let since: Timestamp
    package let extra: Extra
}

/// An activity with its parameters.
package struct ActivityDetail: Sendable {
    package let listing: ActivityListing
    /// Values that are in none of the parameters, since there were too many.
    package let truncated: Int
    /// In the order of their paths.
    package let parameters: [ParameterListing]
    /// Its typed views: its own first, then those of its arrays.
    package let views: [TypedView]
}

/// An entry of an activity's history.
package struct DriftListing: Sendable, Equatable {
    package let id: Int
    package let foundAt: Timestamp
    package let change: String
    /// Nil: the activity itself.
    package let path: String?
    package let from: String?
    package let to: String?
    /// The name that was probably meant.
    package let nearest: String?
    /// The first event that showed it, when it came, and who sent it.
    package let event: UUID
    package let eventAt: Timestamp
    package let source: String
    package let client: String
}

/// A page of a list, and where the next one begins: nil: this was the last.
package struct CataloguePage<Item> {
    package let items: [Item]
    package let next: String?
}

extension CataloguePage: Sendable where Item: Sendable {}
