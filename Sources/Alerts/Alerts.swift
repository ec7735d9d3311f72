// Alerts: who is told by mail when a webhook fails, and how often.
