extension Schema {
    /// Who is who: what a person is known by, traits, merges.
    static let identity = #"""
        select 1;
        """#
}
