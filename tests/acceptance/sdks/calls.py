"""What each SDK is told to send, and the values that must come through unharmed."""

from typing import Any

WRITE_KEY = "wk_live_1"
"""As it stands in docs/sdks.md, whose code runs here."""
DOCUMENTED_URL = "https://events.example.com"
SOURCE_ID = "8kf3Qw2LpZ"

PROPERTIES: dict[str, Any] = {
    "zulu": 1,
    "revenue": 39.95,
    "currency": "EUR",
    "products": [{"sku": "g-32", "price": 18.5}, {"sku": "r-64", "price": 21.45}],
    "city": "Zürich ☕ 🚀",
    "quoted": 'a "quote", a \\backslash and a </script>',
    "largest": 9007199254740991,
    "none": None,
    "gift": False,
    "nested": {"deep": {"deeper": {"list": []}}, "timestamp": "2020-01-01T00:00:00Z", "writeKey": "not ours"},
    "alpha": "",
}
TRAITS: dict[str, Any] = {
    "email": "ada@example.com",
    "plan": "team",
    "age": 36,
    "address": {"city": "Ankara"},
}

CALLS: dict[str, dict[str, Any]] = {
    "identify": {"userId": "user-1", "traits": TRAITS},
    "track": {"userId": "user-1", "event": "Order Completed", "properties": PROPERTIES},
    "page": {"userId": "user-1", "category": "Docs", "name": "Pricing", "properties": PROPERTIES},
    "screen": {"userId": "user-1", "category": "App", "name": "Home", "properties": PROPERTIES},
    "group": {"userId": "user-1", "groupId": "acme", "traits": {"name": "Acme", "employees": 42}},
    "alias": {"userId": "user-2", "previousId": "user-1"},
}
"""Each call by its type, with the members that the event must have."""
