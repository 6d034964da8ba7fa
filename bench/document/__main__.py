"""Render docs/benchmarks.md and its pictures from docs/benchmarks.json: `python -m bench.document`."""

from bench.document import render
from bench.results import load


def main() -> None:
    for path, content in render.documents(load()).items():
        path.write_text(content, encoding="utf-8")
        print(f"wrote {path.relative_to(render.DOCS.parent)}")


if __name__ == "__main__":
    main()
