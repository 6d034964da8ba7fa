"""The signature, against the one that botocore makes of the same request."""

from calendar import timegm
from time import strptime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from headgate.delivery.wire.endpoints import endpoint
from headgate.delivery.wire.signing import Signer

URLS = [
    "https://kinesis.us-west-2.amazonaws.com",
    "https://kinesis.cn-north-1.amazonaws.com.cn/",
    "https://vpce-0a1-b2.kinesis.eu-west-1.vpce.amazonaws.com",
    "http://localhost:4566",
    "http://127.0.0.1:80/a/path",
    "https://[::1]:8443/",
    "https://UPPER.example:443",
]


@pytest.mark.parametrize("url", URLS)
@given(
    token=st.none() | st.from_regex(r"[A-Za-z0-9+/=]{1,60}", fullmatch=True),
    secret=st.from_regex(r"[A-Za-z0-9+/]{1,40}", fullmatch=True),
    body=st.binary(max_size=50),
    operation=st.sampled_from(["PutRecords", "PutRecord"]),
    form=st.sampled_from(["application/x-amz-json-1.1", "application/x-amz-cbor-1.1"]),
)
def test_it_is_what_botocore_signs(
    url: str, token: str | None, secret: str, body: bytes, operation: str, form: str
) -> None:
    place = endpoint(url, "eu-west-1")
    theirs = AWSRequest(
        "POST",
        place.url,
        headers={"Content-Type": form, "X-Amz-Target": f"Kinesis_20131202.{operation}"},
        data=body,
    )
    SigV4Auth(Credentials("AKIDEXAMPLE", secret, token), "kinesis", "eu-west-1").add_auth(theirs)
    timestamp = theirs.headers["X-Amz-Date"]

    signer = Signer(lambda: timegm(strptime(timestamp, "%Y%m%dT%H%M%SZ")) + 0.9)
    ours = signer.headers(
        place, ReadOnlyCredentials("AKIDEXAMPLE", secret, token, None), operation, form, body
    )
    assert {name: ours.get(name) for name, _ in theirs.headers.items()} == dict(theirs.headers.items())
    assert set(ours) - {name for name, _ in theirs.headers.items()} == {"Host", "User-Agent"}
    assert ("X-Amz-Security-Token" in ours) is (token is not None)
