// The admin API: a listener of its own, tokens, and the description of itself.
