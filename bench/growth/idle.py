"""Connections that do nothing: `python -m bench.growth.idle PORT COUNT`.

Each asks once, then stays open. It prints `ready` when all are open, and ends when its standard input does.
"""

import socket
import sys


def main(port: int, count: int) -> None:
    opened = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port), timeout=20)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        if not connection.recv(65_536).startswith(b"HTTP/1.1 "):
            sys.exit("no answer")
        opened.append(connection)
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
