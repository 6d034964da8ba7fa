"""Where Kinesis answers, as botocore resolves it."""

import threading
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote, urlsplit

from botocore.exceptions import BotoCoreError
from botocore.httpsession import ProxyConfiguration
from botocore.session import Session
from botocore.utils import get_environ_proxies

from headgate.delivery.threads import in_thread
from headgate.delivery.wire.faults import Fault, Verdict

_UNUSED = "unused"


class EndpointError(Exception):
    """A region has no endpoint that could be asked."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.code}: {fault.message}")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a region's Kinesis answers, and the region its requests are signed for."""

    url: str
    region: str
    address: str
    """Host name or address, without a port."""
    port: int
    tls: bool
    host: str
    """The Host header."""
    path: str
    canonical_path: str
    """The path as it is signed."""
    proxy: str | None
    """The proxy that the environment names for it."""


def endpoint(url: str, region: str, proxy: str | None = None) -> Endpoint:
    """Return the endpoint at a URL.

    Raises:
        ValueError: it is no http or https URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii():
        raise ValueError(f"the Kinesis endpoint is {url!r}; allowed: an http or https URL in ASCII")
    tls = parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path or "/"
    return Endpoint(
        url=f"{parts.scheme}://{parts.netloc}{path}",
        region=region,
        address=parts.hostname,
        port=port,
        tls=tls,
        host=name if port == (443 if tls else 80) else f"{name}:{port}",
        path=path,
        canonical_path=quote(path, safe="/~"),
        proxy=proxy,
    )


class Endpoints:
    """Each region's endpoint. Environment, profile, FIPS and dual stack count as in any AWS tool."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[str, Endpoint] = {}
        # botocore does not promise that one session makes clients in several threads at a time.
        self._one_at_a_time = threading.Lock()

    def known(self, region: str) -> Endpoint | None:
        """Return the region's endpoint if it was asked for before."""
        return self._known.get(region)

    async def of(self, region: str) -> Endpoint:
        """Return the region's endpoint. The first call takes botocore 0.1 s, in a thread.

        Raises:
            EndpointError: botocore knows none, or `AWS_ENDPOINT_URL` or the like is no URL.
        """
        known = self._known.get(region)
        if known is None:
            known = self._known[region] = await in_thread(partial(self._resolve, region))
        return known

    def _resolve(self, region: str) -> Endpoint:
        try:
            with self._one_at_a_time:
                # Keys are given so that botocore looks for none, which may ask the network.
                client = self._session.create_client(
                    "kinesis", region_name=region, aws_access_key_id=_UNUSED, aws_secret_access_key=_UNUSED
                )
            url = client.meta.endpoint_url
            proxy = ProxyConfiguration(get_environ_proxies(url)).proxy_url_for(url)
            return endpoint(url, client.meta.region_name, proxy)
        except (BotoCoreError, ValueError) as error:
            message = " ".join(str(error).split())
            raise EndpointError(Fault(Verdict.PAUSE, type(error).__name__, message, sent=False)) from None
