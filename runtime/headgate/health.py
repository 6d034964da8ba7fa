"""`python -m headgate.health [PORT]`: the health check of a container that has no curl.

Exit status 0 where `GET http://127.0.0.1:PORT/healthz` is answered with 200, else 1 and one line that says
why. It is started every few seconds on the CPU that delivers: it imports little, and no more of Headgate.
"""

import http.client
import sys
from collections.abc import Sequence

HOST = "127.0.0.1"
PORT = 8080
TIMEOUT_SECONDS = 4.0
"""Below the 5 s after which ECS, by default, kills a health check unheard."""


def fault_of(port: int, timeout: float = TIMEOUT_SECONDS) -> str | None:
    """Return what is wrong with the forwarder on a port of the loopback interface, or None.

    Args:
        port: where it listens.
        timeout: seconds to wait for each step of its answer.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except OSError as fault:
        return str(fault)
    except http.client.HTTPException:
        return "answered something that is no HTTP"
    finally:
        connection.close()
    return None if status == http.client.OK else f"answered {status}"


def main(arguments: Sequence[str]) -> int:
    """Return the exit status for these arguments, and print what is wrong."""
    port = arguments[0] if len(arguments) == 1 else "" if arguments else str(PORT)
    if not port.isdecimal() or not 0 < int(port) < 65_536:
        fault: str | None = f"takes one port, 1 to 65535, or none; not {' '.join(arguments)!r}"
    elif fault := fault_of(int(port)):
        fault = f"http://{HOST}:{port}/healthz: {fault}"
    if fault:
        print(f"headgate.health: {fault}", file=sys.stderr)  # noqa: T201  # the engine keeps it
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
