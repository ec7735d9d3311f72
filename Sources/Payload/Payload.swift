// Payload
