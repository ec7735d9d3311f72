/// What can be said about the parameters of a journey's step before anything is sent.
package enum ParamCheck {
    /// A warning; nil: nothing is wrong with this name.
    package static func warning(of name: String, journey: String, webhook: String) -> String? {
        guard ItemBody.ownParams.contains(name) else { return nil }
        return
            "journey \(journey) gives webhook \(webhook) a parameter \(name): after an activity of a channel, which "
            + "has one of its own, custom_params holds it twice"
    }
}
