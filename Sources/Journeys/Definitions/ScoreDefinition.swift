import Payload

/// A named condition on a profile.
package struct SegmentDefinition: Sendable, Equatable {
    package var name: String
    package var condition: Expression
}

/// Points for what a profile did within a window, and for what it is; the points make a band.
package struct ScoreDefinition: Sendable, Equatable {
    package enum Rule: Sendable, Equatable {
        /// So many points an event, in all at most `cap`.
        case event(JourneyDefinition.EventPattern, points: Decimal, cap: Decimal?)
        case profile(Expression, points: Decimal)
    }

    package struct Band: Sendable, Equatable {
        package var name: String
        package var from: Decimal
    }

    package var name: String
    package var window: Int64
    package var rules: [Rule]
    /// The highest first.
    package var bands: [Band]

    /// The highest band that is reached; nil below all of them.
    package func band(_ points: Decimal) -> String? { bands.first { points >= $0.from }?.name }
}
