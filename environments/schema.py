"""The JSON Schema of an environment file, for editors. `python -m environments.schema` writes it anew."""

import json
from pathlib import Path
from typing import Any

import msgspec

from environments.model import Environment

FILE = Path(__file__).parent / "environment.schema.json"


def text() -> str:
    """Return the schema, as it stands in `environment.schema.json`."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Environment)}
    return json.dumps(_without_null(schema), indent=2) + "\n"


def _without_null(schema: Any) -> Any:
    """Return `schema` without the null that a missing key is in Python: TOML has none."""
    if isinstance(schema, list):
        return [_without_null(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _without_null(item) for key, item in schema.items() if (key, item) != ("default", None)}
    if {"type": "null"} in kept.get("anyOf", ()):
        [only] = [choice for choice in kept.pop("anyOf") if choice != {"type": "null"}]
        kept |= only
    return kept


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
