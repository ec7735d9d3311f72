import Foundations

/// What a stored event says about its session's visits. The slices must stay valid until the commit.
package struct VisitEvent {
    package let session: Bytes
    package let source: Bytes
    package let profile: UUID?
    package let time: Timestamp
    package let receivedAt: Timestamp
    /// JSON texts; empty: none.
    package let properties: Bytes
    package let context: Bytes
    package let requestContext: Bytes
    package let userAgent: Bytes
    /// The session's row is locked by this transaction already.
    package let isLocked: Bool

    package init(
        session: Bytes, source: Bytes, profile: UUID?, time: Timestamp, receivedAt: Timestamp,
        properties: Bytes, context: Bytes, requestContext: Bytes, userAgent: Bytes,
        isLocked: Bool
    ) {
        (self.session, self.source, self.profile) = (session, source, profile)
        (self.time, self.receivedAt) = (time, receivedAt)
        (self.properties, self.context, self.requestContext) = (properties, context, requestContext)
        (self.userAgent, self.isLocked) = (userAgent, isLocked)
    }
}
