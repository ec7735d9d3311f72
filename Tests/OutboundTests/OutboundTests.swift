// Tests of the room Outbound.
