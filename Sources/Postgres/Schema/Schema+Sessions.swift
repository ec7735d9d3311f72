extension Schema {
    /// When sessions begin and end, and on what they run.
    static let sessions = #"""
        select 1;
        """#
}
