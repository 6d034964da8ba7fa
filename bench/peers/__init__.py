"""Others at the same work: the AWS SDKs as they are used at their best, and a usual collector in Python."""
