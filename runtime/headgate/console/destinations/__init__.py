"""The page *Destinations*: settings, looked at, changed and checked."""
