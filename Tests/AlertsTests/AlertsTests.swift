// Tests of the room Alerts.
