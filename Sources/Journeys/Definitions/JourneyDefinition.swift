import Foundations
import Payload

/// A journey as its owner wrote it: what starts it, for whom, and what it does. Times are in microseconds.
///
/// Its meaning is its canonical JSON, and the hash of that is its version; `state` belongs to neither, so that pausing
/// a journey makes no new one.
package struct JourneyDefinition: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        /// Nothing happens.
        case draft
        /// Decides, and sends nothing.
        case shadow
        case live
        /// Nobody enters, and timers wait.
        case paused
        /// Nobody enters; who is in it goes on to the end.
        case draining
    }

    package var name: String
    package var state = State.draft
    package var trigger: Trigger
    package var who: Expression?
    package var key: Expression?
    package var reentry = Reentry()
    package var unless: Unless?
    package var exit: [EventPattern] = []
    package var goal: Goal?
    package var hours: Hours?
    package var cap: Cap?
    /// Held out, in hundredths of a percent.
    package var control = 0
    package var startWithin = JourneyDefinition.day
    package var steps: [Step] = []

    package static let day: Int64 = 86_400_000_000
    /// How long a goal is looked for when the journey does not say.
    package static let goalWithin = 30 * day

    package enum Trigger: Sendable, Equatable {
        case event(EventPattern)
        /// In any order.
        case all([EventPattern], within: Int64)
        /// In this order.
        case sequence([EventPattern], within: Int64)
        case segment(String)
        case score(String, bands: [String])
    }

    /// Events of some activities, perhaps with a condition on them.
    package struct EventPattern: Sendable, Equatable {
        /// Keys, any of them.
        package var activities: [String]
        package var condition: Expression?
    }

    package struct Reentry: Sendable, Equatable {
        package enum Mode: String, Sendable, CaseIterable {
            case once
            case afterExit = "after_exit"
            case always
            case perKey = "per_key"
            case cooldown
        }
        package var mode = Mode.afterExit
        /// At most one start in that time, counted from the last start.
        package var every: Int64?
        /// At most so many starts.
        package var most: Int?
    }

    package struct Unless: Sendable, Equatable {
        package var patterns: [EventPattern]
        package var within: Int64
        package var grace: Int64 = 0
        package var lookback: Int64 = 0
        package var restarts = false
    }

    package struct Goal: Sendable, Equatable {
        package var pattern: EventPattern
        package var within: Int64
        package var lookback: Int64 = 0
    }

    package struct Hours: Sendable, Equatable {
        package enum Otherwise: String, Sendable, CaseIterable { case hold, skip }
        package enum Zone: Sendable, Equatable {
            /// `attr.timezone`, else the panel's.
            case profile
            case named(String)
        }
        /// Seconds of the day; `from` belongs to the hours, `to` does not. `to` before `from` goes over midnight.
        package var from: Int
        package var to: Int
        package var zone = Zone.profile
        /// 0 is Monday; empty: all days. A night's hours belong to the day on which they begin.
        package var days: Set<Int> = []
        package var otherwise = Otherwise.hold
    }

    /// At most so many deliveries of this journey to a profile in so long.
    package struct Cap: Sendable, Equatable {
        package var most: Int
        package var per: Int64
    }

    package indirect enum Step: Sendable, Equatable {
        case webhook(String, params: [Param])
        case wait(Int64, until: [EventPattern], then: Then)
        case split([Branch])
        /// Shares in hundredths of a percent, together at most a hundred percent.
        case ab([Share])
        case set([Assignment])
        case exit(String)
    }

    package enum Then: String, Sendable, CaseIterable { case exit, `continue` }

    package struct Param: Sendable, Equatable {
        package var name: String
        package var template: Template
    }

    package struct Branch: Sendable, Equatable {
        /// Nil: otherwise.
        package var condition: Expression?
        package var steps: [Step]
    }

    package struct Share: Sendable, Equatable {
        package var share: Int
        package var steps: [Step]
    }

    package struct Assignment: Sendable, Equatable {
        package var name: String
        package var value: Expression
    }
}

extension JourneyDefinition {
    /// All steps, those of branches included.
    package var allSteps: [Step] { Self.flat(steps) }

    private static func flat(_ steps: [Step]) -> [Step] {
        steps.flatMap { step -> [Step] in
            switch step {
            case .split(let branches): [step] + branches.flatMap { flat($0.steps) }
            case .ab(let shares): [step] + shares.flatMap { flat($0.steps) }
            default: [step]
            }
        }
    }

    /// The webhooks that it uses.
    package var webhooks: [String] {
        allSteps.compactMap { step in
            if case .webhook(let name, _) = step { return name }
            return nil
        }
    }
}
