"""Renew every locked requirements file from pyproject.toml, the one place where versions are chosen.

`make lock` runs it. The locks are hash-pinned and hold for every platform; they name no index, so that
whoever installs from them uses their own.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = Path(sys.executable).with_name("uv")


def compile_requirements(requirements: list[str], output: Path, *options: str | Path) -> None:
    """Resolve `requirements` for every platform and write them, pinned with hashes, to `output`."""
    print(f"locking {output.relative_to(ROOT)}", flush=True)
    subprocess.run(
        [UV, "pip", "compile", "-", "--output-file", output, "--universal", "--generate-hashes", "--quiet",
         "--python-version", "3.11", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate",
         "--custom-compile-command", "make lock", *options, *sys.argv[1:]],
        input="\n".join(requirements), text=True, check=True, cwd=ROOT,
    )  # fmt: skip


def main() -> None:
    """Write one file per environment: the image's, the checkout's, and those of the tools that live apart."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    base, extras = pyproject["project"]["dependencies"], pyproject["project"]["optional-dependencies"]
    groups = pyproject["dependency-groups"]
    every_extra = [r for extra in extras.values() for r in extra if not r.startswith("headgate")]
    in_image = ROOT / "runtime/requirements.txt"
    compile_requirements(extras["runtime"], in_image)
    # What the two images have in common is the same in both.
    with_audiences = [r for r in extras["audiences"] if not r.startswith("headgate")]
    compile_requirements(
        [*extras["runtime"], *with_audiences],
        ROOT / "runtime/requirements-audiences.txt",
        *("--constraint", in_image),
    )
    compile_requirements([*base, *every_extra, *groups["dev"]], ROOT / "requirements/dev.txt")
    for name in ("ministack", "checkov", "peers", "diagram", "node", "uv"):
        compile_requirements(groups[name], ROOT / f"requirements/{name}.txt")


if __name__ == "__main__":
    main()
