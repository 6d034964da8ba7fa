"""Texts as people read them, on a terminal and on a page. Pure."""


def printable(text: str) -> str:
    """Return `text` with what could steer a terminal, or turn a line around, written as escapes."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def age(seconds: float) -> str:
    """Return a time as its largest unit that fills it: `45 s`, `12 min`, `3.5 h`, `2.1 d`."""
    if seconds < 60:
        return f"{max(seconds, 0):.0f} s"
    if seconds < 3_600:
        return f"{seconds / 60:.0f} min"
    if seconds < 86_400:
        return f"{seconds / 3_600:.1f} h"
    return f"{seconds / 86_400:.1f} d"
