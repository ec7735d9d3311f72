// Tests of the room Activities.
