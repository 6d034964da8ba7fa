"""The errors that Kinesis, STS and IAM answer with: code, text and HTTP status."""

_STATUS = {
    "InternalFailure": 500,
    "InternalFailureException": 500,
    "ServiceUnavailable": 503,
    "ServiceUnavailableException": 503,
}

_MESSAGES = {
    "AccessDeniedException": "User is not authorized to perform this operation on stream {stream}.",
    "ExpiredTokenException": "The security token included in the request is expired",
    "InternalFailure": "Internal service failure.",
    "KMSAccessDeniedException": "User is not authorized to use the KMS key of stream {stream}.",
    "KMSDisabledException": "The KMS key of stream {stream} is disabled.",
    "KMSInvalidStateException": "The KMS key of stream {stream} is in a state that does not allow its use.",
    "KMSNotFoundException": "The KMS key of stream {stream} was not found.",
    "KMSThrottlingException": "The request was denied because KMS throttles requests.",
    "LimitExceededException": "Rate exceeded.",
    "ProvisionedThroughputExceededException": "Rate exceeded for stream {stream} under account {account}.",
    "ResourceNotFoundException": "Stream {stream} under account {account} not found.",
    "ServiceUnavailable": "Service is unable to handle request.",
    "UnrecognizedClientException": "The security token included in the request is invalid.",
}


class Refusal(Exception):  # noqa: N818  # what it carries is called an exception by AWS
    """A request that the service refuses as a whole."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status or _STATUS.get(code, 400)


def usual_message(code: str, *, stream: str, account: str) -> str:
    """Return a text like the one that AWS gives with a code."""
    return _MESSAGES.get(code, code).format(stream=stream, account=account)


def not_found(stream: str, account: str) -> Refusal:
    """Return what a request for a stream that is not there is answered with."""
    code = "ResourceNotFoundException"
    return Refusal(code, usual_message(code, stream=stream, account=account))


def invalid(constraint: str) -> Refusal:
    """Return what a request that breaks a constraint of its members is answered with."""
    return Refusal("ValidationException", f"1 validation error detected: {constraint}")
