extension Schema {
    /// The catalogue of activities.
    static let activities = #"""
        select 1;
        """#
}
