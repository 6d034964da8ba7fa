"""Several fakes, each a region, behind one address: `AWS_ENDPOINT_URL` is one for all regions."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import aiohttp
from aiohttp import web

from headgate.testing import FakeKinesis
from headgate.testing.serving import ServingThread

_REGION = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/")
_OF_THE_CONNECTION = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "date", "server"}
)


@contextmanager
def regions(fakes: Mapping[str, FakeKinesis]) -> Iterator[dict[str, str]]:
    """Pass every request on, from a thread, to the fake of the region that it is signed for.

    Gives the environment variables under which AWS tools find them all.
    """
    thread, router = ServingThread(), _Router(fakes)
    try:
        thread.call(router.start)
        any_fake = next(iter(fakes.values()))
        yield any_fake.environment() | {"AWS_ENDPOINT_URL": router.url}
    finally:
        thread.call(router.stop)
        thread.stop()


class _Router:
    def __init__(self, fakes: Mapping[str, FakeKinesis]) -> None:
        self._fakes = fakes
        self.url = ""

    async def start(self) -> None:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])

    async def stop(self) -> None:
        await self._runner.cleanup()
        await self._http.close()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        region = _REGION.search(request.headers["Authorization"])
        assert region is not None
        url, headers, body = self._fakes[region[1]].url, _passed_on(request.headers), await request.read()
        try:
            async with self._http.post(url + request.path, data=body, headers=headers) as answer:
                passed_on = _passed_on(answer.headers)
                return web.Response(status=answer.status, body=await answer.read(), headers=passed_on)
        except aiohttp.ClientError:  # the fake ended the connection, so this one ends too
            raise ConnectionResetError from None


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _OF_THE_CONNECTION}
