"""Kinesis asked as a client asks it that is no SDK, byte for byte."""

import http.client
import json
from typing import Any

import cbor2

from headgate.testing import FakeKinesis

JSON, CBOR = "application/x-amz-json-1.1", "application/x-amz-cbor-1.1"


def signed(key: str = "AKIATEST", region: str = "us-west-2", service: str = "kinesis") -> str:
    credential = f"{key}/20260101/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00"


def headers(operation: str, content_type: str = JSON, authorization: str | None = signed()) -> dict[str, str]:
    named = {"Content-Type": content_type, "X-Amz-Target": f"Kinesis_20131202.{operation}"}
    return named if authorization is None else named | {"Authorization": authorization}


class Connection:
    """One kept connection."""

    def __init__(self, kinesis: FakeKinesis, timeout: float = 5) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", kinesis.server.port, timeout=timeout)

    def send(self, body: bytes, named: dict[str, str]) -> tuple[int, http.client.HTTPMessage, bytes]:
        self.http.request("POST", "/", body, named)
        answer = self.http.getresponse()
        return answer.status, answer.headers, answer.read()

    def json(self, operation: str, **members: Any) -> tuple[int, dict[str, Any]]:
        status, _, body = self.send(json.dumps(members).encode(), headers(operation))
        return status, json.loads(body or b"{}")

    def cbor(self, operation: str, **members: Any) -> tuple[int, dict[str, Any]]:
        status, _, body = self.send(cbor2.dumps(members), headers(operation, CBOR))
        return status, cbor2.loads(body) if body else {}

    def close(self) -> None:
        self.http.close()


def boto3_client(kinesis: FakeKinesis, service: str = "kinesis", **credentials: str) -> Any:
    import boto3
    from botocore.config import Config

    keys = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "secret"} | credentials
    config = Config(retries={"total_max_attempts": 1}, read_timeout=5)
    return boto3.client(service, endpoint_url=kinesis.url, region_name="us-west-2", config=config, **keys)
