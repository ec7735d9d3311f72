// Webhooks: bodies, signatures, the plan of retries, and the queue of deliveries.
