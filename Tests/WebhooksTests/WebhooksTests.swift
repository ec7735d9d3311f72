// Tests of the room Webhooks.
