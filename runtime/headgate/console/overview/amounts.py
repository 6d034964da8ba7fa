"""Amounts as a person reads them. Pure. None, for what nobody knows, is a dash."""

NOBODY_KNOWS = "\N{EN DASH}"


def number(value: float | None) -> str:
    """Return a count or a rate: whole from ten on; what is more than nothing never reads 0."""
    if value is None:
        return NOBODY_KNOWS
    if 0 < value < 0.05:
        return "under 0.1"
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")


def size(value: float | None) -> str:
    """Return bytes, in the unit that suits them: kB is 1,000."""
    if value is None:
        return NOBODY_KNOWS
    for unit in ("B", "kB", "MB"):
        if value < 999.5:
            return f"{number(value)} {unit}"
        value /= 1000
    return f"{number(value)} GB"


def share(value: float | None) -> str:
    """Return a share of one as a percentage; what is not all never reads 100 %, nor what is some 0 %."""
    if value is None:
        return NOBODY_KNOWS
    percent = value * 100
    if 99.95 <= percent < 100:
        return "over 99.9 %"
    if 0 < percent < 0.05:
        return "under 0.1 %"
    return f"{percent:.1f}".removesuffix(".0") + " %"


def millis(value: float | None) -> str:
    """Return milliseconds, or seconds where they are many."""
    if value is None:
        return NOBODY_KNOWS
    return f"{number(value)} ms" if value < 9_995 else f"{value / 1000:,.1f} s"


def duration(seconds: float | None) -> str:
    """Return a duration in its two largest units."""
    if seconds is None:
        return NOBODY_KNOWS
    if seconds < 9.95:
        return f"{number(seconds)} s"
    whole = round(seconds)
    for unit, length, smaller, part in (
        ("d", 86_400, "h", 3_600),
        ("h", 3_600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if whole >= length:
            first, rest = divmod(whole, length)
            return f"{first:,} {unit} {rest // part} {smaller}" if rest // part else f"{first:,} {unit}"
    return f"{whole} s"
