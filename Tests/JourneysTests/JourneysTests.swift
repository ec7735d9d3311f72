// Tests of the room Journeys.
