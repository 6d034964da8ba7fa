"""Secret IDs, encrypted by the client with AWS KMS before anything is written."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable

from botocore.config import Config
from botocore.session import Session

from headgate.errors import AwsError, SettingsError
from headgate.hands import Hands
from headgate.settings.aws_service import AwsService
from headgate.settings.table.stored import StoredSource

_PARALLEL_CALLS = 16
_WAIT_SECONDS = 60.0
"""For one answer of KMS: more than all attempts take."""
# Every worker of every task decrypts when it starts, so KMS may well throttle.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=3,
    max_pool_connections=_PARALLEL_CALLS,
    retries={"mode": "standard", "total_max_attempts": 6},
)

_Sealed = tuple[str, str, str]
"""A ciphertext, and the source and the stream that it was made for: nobody else may get it decrypted."""


class Sealing:
    """Encrypts and decrypts Secret IDs, each for one source and one stream; asks KMS once for each.

    Args:
        session: its credentials and its endpoint are used.
        region: the key's.
        about: what errors begin with.
    """

    def __init__(self, session: Session, region: str, *, about: str) -> None:
        self._about = about
        self._kms = AwsService(session, "kms", region=region, about=about, config=_CONFIG)
        self._known: dict[_Sealed, str] = {}

    def encrypting(self, key_of: Callable[[], str]) -> Callable[[str, str, str], str]:
        """Return what encrypts under a key, which is asked for where there is something to encrypt."""

        def encrypt(secret_id: str, source_id: str, stream_name: str) -> str:
            answer = self._kms.call(
                "encrypt",
                KeyId=key_of(),
                Plaintext=secret_id.encode(),
                EncryptionContext=_context(source_id, stream_name),
            )
            return b64encode(answer["CiphertextBlob"]).decode()

        return encrypt

    def decrypt(self, encrypted: str, source_id: str, stream_name: str) -> str:
        """Return a Secret ID.

        Raises:
            AwsError: KMS refuses, for a source or a stream that it was not encrypted for too.
            SettingsError: it is no base64.
        """
        sealed = (encrypted, source_id, stream_name)
        if sealed not in self._known:
            self._known[sealed] = self._decrypted(sealed)
        return self._known[sealed]

    def learn(self, sources: Iterable[StoredSource]) -> None:
        """Decrypt what is new of many sources, some at a time, so that `decrypt` has no need to ask.

        Raises:
            AwsError, SettingsError: as `decrypt`.
        """
        unknown = {sealed for source in sources for sealed in _sealed_in(source)} - self._known.keys()
        hands = Hands(self._decrypted, _PARALLEL_CALLS)
        fault: Exception | None = None
        # After a fault nothing more is begun, and what was begun is waited for: whoever forks next must not
        # do so while a thread holds a lock.
        while hands.busy or (unknown and fault is None):
            while unknown and hands.free and fault is None:
                hands.give(unknown.pop())
            done = hands.next(_WAIT_SECONDS)
            if done is None:
                fault = AwsError(f"{self._about}: KMS has not answered in {_WAIT_SECONDS:g} s")
                break
            sealed, result = done
            if isinstance(result, Exception):
                fault = fault or result
            else:
                self._known[sealed] = result
        hands.close()
        if fault is not None:
            raise fault

    def keep(self, sources: Iterable[StoredSource]) -> None:
        """Forget what none of these sources has."""
        used = {sealed for source in sources for sealed in _sealed_in(source)}
        self._known = {sealed: self._known[sealed] for sealed in used & self._known.keys()}

    def _decrypted(self, sealed: _Sealed) -> str:
        encrypted, source_id, stream_name = sealed
        where = f"the Secret ID of the source {source_id!r} for {stream_name!r}"
        try:
            blob = b64decode(encrypted, validate=True)
        except binascii.Error:
            raise SettingsError(f"{self._about}: {where} is no base64") from None
        try:
            answer = self._kms.call(
                "decrypt", CiphertextBlob=blob, EncryptionContext=_context(source_id, stream_name)
            )
        except AwsError as error:
            reason = str(error).removeprefix(f"{self._about}: ")
            raise AwsError(f"{self._about}: {where} cannot be decrypted: {reason}") from None
        plaintext: bytes = answer["Plaintext"]
        return plaintext.decode()


def _sealed_in(source: StoredSource) -> Iterable[_Sealed]:
    for each in source.destinations:
        if each.encrypted_secret_id is not None:
            yield each.encrypted_secret_id, source.id, each.stream_name


def _context(source_id: str, stream_name: str) -> dict[str, str]:
    return {"source": source_id, "destination": stream_name}
