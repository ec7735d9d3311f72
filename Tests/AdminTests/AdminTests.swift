// Tests of the room Admin.
