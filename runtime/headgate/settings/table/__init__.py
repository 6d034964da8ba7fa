"""Settings in an Amazon DynamoDB table: each source by itself, its versions, and who changed what."""
