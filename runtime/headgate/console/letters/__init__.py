"""The page *Dead letters*: what could not be delivered, looked at and sent again."""
