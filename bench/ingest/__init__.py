"""What the HTTP side costs before delivery, beside the least that an ASGI app takes."""
