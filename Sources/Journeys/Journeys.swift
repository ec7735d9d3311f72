// Journeys: expressions, definitions, and the pure engine that steps them.
