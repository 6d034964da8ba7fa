"""PutRecords and PutRecord on the wire: encode, sign, send, read the answer. `client.Wire` is the way in."""
