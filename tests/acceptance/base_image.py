"""`python -m tests.acceptance.base_image`: have the image that the forwarder's is built on.

It is here, or it can be pulled, or it is made: Debian with Python and pip, under the same name, in a store
that only the tests see. Its Python is older than the real one's, and the Dockerfile does not notice: pip
takes the wheels of the Python that it runs on.
"""

import shutil
import subprocess
import sys

from tests.acceptance.containers import BASE, STORE, Engine, engines

MADE = [
    "mmdebstrap",
    "--quiet",
    "--variant=minbase",
    "--include=ca-certificates,python3,python3-pip",
    "bookworm",
    "-",
]


def main() -> None:
    """Leave a mark where the base image is to be had; else say why it is not."""
    said = "neither docker nor podman works on this machine"
    for engine in engines():
        if engine.has(BASE) or pulled(engine) or (engine.program == "podman" and made(engine)):
            (STORE / ".ready").touch()
            return
        said = f"{engine.program} can neither pull nor make {BASE}"
    print(f"{said}: tests of the image are skipped")  # noqa: T201  # make shows it


def pulled(engine: Engine) -> bool:
    """Return whether the image could be pulled."""
    try:
        return engine.ask("pull", "--quiet", BASE, seconds=300).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def made(engine: Engine) -> bool:
    """Return whether an image could be made in its place."""
    if not shutil.which(MADE[0]):
        return False
    print(f"making an image in place of {BASE}, which cannot be pulled", flush=True)  # noqa: T201
    imports = [engine.program, "import", "--quiet", "-", f"localhost/{BASE}"]
    with subprocess.Popen(MADE, stdout=subprocess.PIPE) as making:
        done = subprocess.run(
            imports, env=dict(engine.environment), stdin=making.stdout, stdout=subprocess.DEVNULL, check=False
        )
    return making.returncode == 0 and done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
