extension Schema {
    /// Replays of what could not be taken.
    static let quarantine = #"""
        select 1;
        """#
}
