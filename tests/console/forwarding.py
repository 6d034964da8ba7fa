"""A forwarder in the process of the test: the real HTTP side, and the real delivery into a fake Kinesis."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import botocore.session

from headgate.delivery.credentials import CredentialsCache
from headgate.delivery.delivery import Delivery
from headgate.delivery.wire.client import Wire
from headgate.ingest.acceptor import Acceptor
from headgate.ingest.connections import Connections
from headgate.ingest.protocol import HttpProtocol
from headgate.ingest.tracking import TrackingApi
from headgate.settings.schema import read_toml


@asynccontextmanager
async def forwarding(sources: str) -> AsyncIterator[str]:
    """Serve sources, the text of a `sources.toml`, with the environment's AWS; give its URL."""
    session = botocore.session.get_session()
    wire = Wire(session)
    delivery = Delivery(wire, CredentialsCache(session))
    api = TrackingApi(sources=read_toml(sources, where="sources"), delivery=delivery)
    connections = Connections()
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    port = listening.getsockname()[1]
    acceptor = Acceptor(listening, connections, lambda: HttpProtocol(api.handle, connections))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        acceptor.close()
        for connection in connections:
            connection.close()
        await delivery.close()
        await wire.close()
