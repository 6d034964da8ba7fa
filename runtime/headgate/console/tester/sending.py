"""Sends a request through the forwarder, and follows its events into the streams of its destinations."""

import asyncio
import logging
import re
from contextlib import ExitStack

from headgate.console.desk import Desk
from headgate.console.inert import json_or_bytes
from headgate.console.pages import rendered
from headgate.console.sources import stream_of
from headgate.console.tester.posting import HEADERS, Order, Unanswered, post
from headgate.console.tester.read_back import look
from headgate.console.tester.sends import Send

log = logging.getLogger(__name__)

_CREDENTIALS = re.compile("//[^/@]*@")


async def carry_out(send: Send, order: Order, desk: Desk) -> None:
    """Send a request, and show what becomes of it."""
    try:
        await _carry_out(send, order, desk)
    except Exception:
        log.exception("an event cannot be followed")
        send.show("progress", "This went wrong in the console; its log says how.")


async def _carry_out(send: Send, order: Order, desk: Desk) -> None:
    send.show("request", _request_part(order))
    with ExitStack() as listening:
        # Before it is sent, so that nothing of it is missed.
        listeners = [
            listening.enter_context(desk.feeds.of(stream_of(destination)).listening())
            for destination in order.destinations
        ]
        for listener in listeners:
            listener.number = listener.feed.last_number
        send.show("progress", "Sending.")
        answer = await post(order, desk.http)
        if isinstance(answer, Unanswered):
            said = "There is no answer."
            send.show("answer", rendered("tester/unanswered.html", why=answer.why))
        else:
            said = f"Answered {answer.status} after {answer.milliseconds:,.0f} ms."
            body = json_or_bytes(order.hide(answer.body))
            send.show("answer", rendered("tester/answer.html", answer=answer, body=body))
        send.show("progress", f"{said} Looking for the records." if answer.status == 200 else said)
        found = await asyncio.gather(
            *(look(send, order, answer, number, listener) for number, listener in enumerate(listeners))
        )
        if answer.status == 200:
            there, due = sum(each for each, _ in found), sum(each for _, each in found)
            send.show("progress", f"{said} Read back: {there:,} of {due:,} record{'' if due == 1 else 's'}.")


def _request_part(order: Order) -> str:
    body = json_or_bytes(order.hide(order.draft.text.encode()))
    size = str(len(order.draft.text.encode()))
    headers = HEADERS | {"Authorization": "Basic (the write key, hidden)", "Content-Length": size}
    return rendered("tester/request.html", url=_CREDENTIALS.sub("//", order.url), headers=headers, body=body)
