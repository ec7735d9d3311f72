extension Schema {
    /// Deliveries, attempts and alerts.
    static let webhooks = #"""
        select 1;
        """#
}
