extension Schema {
    /// Journeys, enrolments and timers.
    static let journeys = #"""
        select 1;
        """#
}
