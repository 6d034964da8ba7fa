"""The page *Live events*: what comes into a stream."""
