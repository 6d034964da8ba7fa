"""Renew every locked requirements file from pyproject.toml, the one place where versions are chosen.

`make lock` runs it. The locks are hash-pinned and hold for every platform; they name no index, so that
whoever installs from them uses their own.
"""

import re
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
    # The image that syncs audiences is the other one and this beside it.
    packages = re.findall(r"^([a-z0-9-]+)==", in_image.read_text(), re.MULTILINE)
    compile_requirements(
        [*extras["runtime"], *(r for r in extras["audiences"] if not r.startswith("headgate"))],
        ROOT / "runtime/requirements-audiences.txt",
        *("--constraint", in_image),
        *(option for package in packages for option in ("--no-emit-package", package)),
    )
    compile_requirements([*base, *every_extra, *groups["dev"]], ROOT / "requirements/dev.txt")
    for name in ("ministack", "checkov", "awscli", "peers", "diagram", "node", "uv"):
        compile_requirements(groups[name], ROOT / f"requirements/{name}.txt")


if __name__ == "__main__":
    main()
