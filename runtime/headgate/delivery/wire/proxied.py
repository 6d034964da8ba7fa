"""Requests that have to go through a proxy. aiohttp carries them: it knows CONNECT, and TLS inside it."""

import ssl
from collections.abc import Mapping

import aiohttp

from headgate.delivery.wire.connection import NetworkError
from headgate.delivery.wire.endpoints import Endpoint
from headgate.delivery.wire.pool import CONNECT_SECONDS, IDLE_SECONDS, MAX_CONNECTIONS, not_connected


class Proxied:
    """Sends requests through the endpoint's proxy, over kept connections."""

    def __init__(self, tls: ssl.SSLContext, answer_within: float) -> None:
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=tls, limit_per_host=MAX_CONNECTIONS, limit=0, keepalive_timeout=IDLE_SECONDS
            ),
            timeout=aiohttp.ClientTimeout(
                total=CONNECT_SECONDS + answer_within, connect=CONNECT_SECONDS, sock_read=answer_within
            ),
            auto_decompress=False,
        )

    async def post(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Send a POST; return the answer's status and body.

        Raises:
            NetworkError: there is no connection to be had, or no answer came.
        """
        try:
            async with self._http.post(
                endpoint.url, data=body, headers=headers, proxy=endpoint.proxy
            ) as answer:
                return answer.status, await answer.read()
        except aiohttp.ClientHttpProxyError as error:
            why = f"the proxy does not connect to {endpoint.address}: {error.status} {error.message}"
            raise NetworkError("ProxyRefused", why, sent=False) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise not_connected(_cause(error), f"{endpoint.address} through the proxy") from None
        except (aiohttp.ClientError, OSError) as error:
            why = " ".join(str(error).split()) or "no answer in time"
            raise NetworkError(type(error).__name__, why, sent=True) from None

    async def close(self) -> None:
        """Close every connection."""
        await self._http.close()


def _cause(error: aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError) -> OSError:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return error.certificate_error if isinstance(error.certificate_error, OSError) else error
    return error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
