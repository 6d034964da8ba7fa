"""The page *Overview*: whether it is delivering, how much and how fast."""
