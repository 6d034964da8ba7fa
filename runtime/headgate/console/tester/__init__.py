"""The page *Event tester*: a call, sent through the forwarder and read back."""
