"""A few shapes of SVG, in colours that can be read on light and dark paper."""

from collections.abc import Iterable
from html import escape

STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.small { font-size: 11px; fill: #59636e }
.ours { fill: #0969da; stroke: #0969da }
.peer { fill: #9aa4ae; stroke: #9aa4ae }
polyline { fill: none !important; stroke-width: 2 }
.axis { stroke: #b6bec7; stroke-width: 1 }
.bound { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 4 3 }
.linear { stroke: #8c959f; stroke-width: 1; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .small { fill: #9198a1 }
  .ours { fill: #4493f8; stroke: #4493f8 }
  .peer { fill: #6e7681; stroke: #6e7681 }
  .axis { stroke: #3d444d }
  .bound { stroke: #f85149 }
  .linear { stroke: #6e7681 }
}
</style>"""


def picture(width: float, height: float, title: str, shapes: Iterable[str]) -> str:
    """Return a whole picture; its background is the page's."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img">',
            f"<title>{escape(title)}</title>",
            STYLE,
            *shapes,
            "</svg>\n",
        ]
    )


def text(x: float, y: float, said: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(said)}</text>'


def bar(x: float, y: float, width: float, height: float, kind: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2" '
        f'class="{kind}" stroke="none"/>'
    )


def line(points: Iterable[tuple[float, float]], kind: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" class="{kind}"/>'


def dot(x: float, y: float, kind: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{kind}" stroke="none"/>'
