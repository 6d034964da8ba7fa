"""What a running forwarder says of itself on `/statusz`: workers report, one process shows.

It knows metrics and nothing else of Headgate: what delivery and ingest have to tell they fill into the types
of `report`. No write key, External ID or credential has a place in them, and nothing of an event.
"""
