package import Foundations

/// How a server is set up: where it listens, with how many lanes, within which limits.
package struct HTTPOptions: Sendable {
    package var listen: [Configuration.ListenAddress]
    /// How many lanes; as many as there are cores is right.
    package var lanes: Int
    package var limits: Limits
    /// Networks whose `X-Forwarded-For` is believed. A peer on a Unix socket counts as 127.0.0.1.
    package var trustedProxies: [Network]

    package init(
        listen: [Configuration.ListenAddress], lanes: Int, limits: Limits = Limits(),
        trustedProxies: [Network] = []
    ) {
        self.listen = listen
        self.lanes = max(lanes, 1)
        self.limits = limits
        self.trustedProxies = trustedProxies
    }
}
