"""Signature Version 4 of a request, by botocore's signer.

`SigV4Auth.add_auth` takes any request apart to find what is to be signed. Ours differ in little, so what is
signed is written down here, and botocore does the rest: a quarter of the CPU, the same signature.
"""

import time
from collections.abc import Callable
from hashlib import sha256

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials

from headgate import __version__
from headgate.delivery.wire.endpoints import Endpoint

_USER_AGENT = f"headgate/{__version__}"


def usable(credentials: ReadOnlyCredentials) -> bool:
    """Return whether credentials can stand in a header; a variable easily ends with a line break."""
    parts = (credentials.access_key or "", credentials.secret_key or "", credentials.token or "")
    return all(part.isascii() and "\n" not in part and "\r" not in part for part in parts)


class Signer:
    """Signs for Kinesis. The clock gives seconds since the epoch."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now

    def headers(
        self,
        endpoint: Endpoint,
        credentials: ReadOnlyCredentials,
        operation: str,
        content_type: str,
        body: bytes,
    ) -> dict[str, str]:
        """Return the headers of a signed POST: all but Content-Length."""
        timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._now()))
        headers = {
            "Content-Type": content_type,
            "Host": endpoint.host,
            "X-Amz-Date": timestamp,
            "X-Amz-Target": f"Kinesis_20131202.{operation}",
        }
        # In the order of their names, as a canonical request has them.
        signed, token = "content-type;host;x-amz-date;x-amz-target", ""
        if credentials.token:
            headers["X-Amz-Security-Token"] = credentials.token
            signed = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
            token = f"x-amz-security-token:{credentials.token}\n"
        canonical = (
            f"POST\n{endpoint.canonical_path}\n\n"
            f"content-type:{content_type}\nhost:{endpoint.host}\nx-amz-date:{timestamp}\n"
            f"{token}x-amz-target:{headers['X-Amz-Target']}\n\n{signed}\n{sha256(body).hexdigest()}"
        )
        signing = Credentials(credentials.access_key or "", credentials.secret_key or "", credentials.token)
        signer = SigV4Auth(signing, "kinesis", endpoint.region)
        request = AWSRequest()
        request.context["timestamp"] = timestamp
        signature = signer.signature(signer.string_to_sign(request, canonical), request)
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, "
            f"SignedHeaders={signed}, Signature={signature}"
        )
        headers["User-Agent"] = _USER_AGENT
        return headers
