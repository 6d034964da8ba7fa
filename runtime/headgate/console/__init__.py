"""The operator's local web page: what flows, its settings, its dead letters. `headgate console` serves it."""
