"""The stand-in as a process: `python -m bench.standin --shards 8 --latency 0.01 --certificate PEM`.

It prints its ports, for HTTP and, with a certificate, for TLS. `GET /counts` tells what it took.
"""

import argparse
import asyncio
import json
import time

import uvloop

from bench.standin.answers import FORMS, JSON, Answers
from bench.standin.connection import Answer, Connection, Request, listen


def answering(answers: Answers, request: Request) -> Answer:
    if request.path == "/counts":
        counts = {"records": answers.records, "calls": answers.calls, "cpu": time.process_time()}
        return Answer(200, "application/json", json.dumps(counts).encode())
    form = FORMS.get(request.content_type, JSON)
    status, body = answers.answer(request.operation, form, request.body)
    return Answer(status, form.content_type, body)


async def serve(shards: int, latency: float, certificate: str | None) -> None:
    answers = Answers(shards)

    def connection() -> Connection:
        return Connection(lambda request: answering(answers, request), latency)

    print(*await listen(connection, certificate), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.standin", description=__doc__)
    parser.add_argument("--shards", type=int, default=1, help="of each stream (default: 1)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that an answer is held back")
    parser.add_argument("--certificate", help="certificate and key, for TLS")
    asked = parser.parse_args()
    uvloop.run(serve(asked.shards, asked.latency, asked.certificate))
