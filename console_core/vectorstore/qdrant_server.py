"""A Qdrant server or cluster, by URL."""

import ipaddress
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from qdrant_client import QdrantClient

from console_core.errors import SettingsError, StoreError, StoreRefused, StoreUnavailable
from console_core.vectorstore import qdrant_versions as versions
from console_core.vectorstore.patience import Patience
from console_core.vectorstore.provenance import provenance
from console_core.vectorstore.qdrant_access import claimed
from console_core.vectorstore.qdrant_deferring import DefersIndexing
from console_core.vectorstore.qdrant_errors import answer, translated
from console_core.vectorstore.qdrant_snapshots import QdrantSnapshots
from console_core.vectorstore.traffic import Traffic
from console_core.vectorstore.tuning import OF_QDRANT
from console_core.vectorstore.types import CollectionInfo, ModelStamp, Payload, StoreInfo

EXAMPLES = "http://localhost:6333, https://host:6333, grpc://host:6334, grpcs://host:6334"
_LONG = 3600
"""Seconds that the recovery of a snapshot may take."""
_INSECURE = "The API key travels in clear text: use https:// or grpcs:// unless the network is your own."
_NO_METADATA = (
    "This server keeps no metadata on collections (Qdrant 1.16 and newer do): a collection's model is told from the "
    "fingerprint on its points."
)

T = TypeVar("T")


class QdrantServer(DefersIndexing):
    """A server by URL; every call but creating a collection and moving an alias is tried again when it may help."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str = "",
        timeout: int = 30,
        retries: int = 3,
        first_pause: float = 0.25,
        traffic: Traffic | None = None,
    ) -> None:
        """Prepare to connect; nothing is sent before the first call.

        http(s) URLs name the REST port (6333 unless given). grpc(s) URLs name the gRPC port (6334 unless given); the
        few calls that have no gRPC form use the port below it. `timeout` is in seconds for one try; a call takes at
        most about twice as long with all its `retries`.

        Raises:
            SettingsError: the URL cannot be understood.
        """
        parts = _parsed(url)
        self._location = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._insecure = bool(api_key) and parts.scheme in ("http", "grpc") and not _is_loopback(parts.hostname or "")
        self._budget = 2.0 * timeout
        self._retries = retries
        self._first_pause = first_pause
        self._version = ""
        self._answered: bool | None = None
        self._claims = claimed(api_key)
        super().__init__(_client(parts, api_key, timeout), f"The Qdrant server at {self._location}", traffic)
        self._patient = partial(_client, parts, api_key, _LONG)
        self._headers = {"api-key": api_key} if api_key else {}

    def _ask(self, call: Callable[[], T], *, name: str = "", again: bool = True) -> T:
        patience = Patience(self._retries if again else 0, self._budget, self._first_pause)
        while True:
            try:
                result = call()
            except Exception as error:
                found = answer(error)
                unconfirmed = isinstance(error, StoreUnavailable)
                if not (unconfirmed or found.worth_another_try) or not patience.pause(found.wait):
                    reason = translated(error, self._place, name)
                    if isinstance(reason, StoreUnavailable):
                        self._answered = False
                    raise reason from error
            else:
                self._answered = True
                return result

    def info(self) -> StoreInfo:
        limits = (
            *((_INSECURE,) if self._insecure else ()),
            *(() if versions.keeps_metadata(self._version) else (_NO_METADATA,)),
        )
        return StoreInfo(
            "Qdrant server",
            self._location,
            self._version,
            limits,
            answered=self._answered,
            problem=versions.too_old(self._version),
            remedy="Upgrade the server, one minor version after the other.",
            keeps_metadata=versions.keeps_metadata(self._version),
            quantizations=OF_QDRANT,
        )

    def collections(self) -> list[CollectionInfo]:
        found = super().collections()
        with suppress(StoreError):  # a proxy may hide the page that tells it
            self._learn_version()
        return found

    def _learn_version(self) -> str:
        """The server's version, asked for once."""
        self._version = self._version or self._ask(self._client.info).version
        return self._version

    def _stamp_on(self, payloads: Sequence[Payload]) -> ModelStamp | None:
        """On a server without metadata, what all sampled points agree on; which model card it was is not recorded."""
        found = [provenance(payload) for payload in payloads]
        fingerprints = {recorded.fingerprint if recorded else "" for recorded in found}
        if len(fingerprints) != 1 or "" in fingerprints or versions.keeps_metadata(self._learn_version()):
            return None
        return ModelStamp("", fingerprints.pop())

    def snapshots(self) -> QdrantSnapshots:
        """The server's own snapshots, over REST; to be closed after use."""
        return QdrantSnapshots(self._patient(), self._place, self._headers, self._collection_of)

    def _cannot_change_vectors(self) -> StoreError | None:
        with suppress(StoreError):  # a proxy may hide the page that tells it
            self._learn_version()
        if versions.adds_vectors(self._version):
            return None
        return StoreRefused(
            f"Qdrant {self._version} cannot add a named vector to a collection, or fill one without touching the "
            "others: 1.18 and newer can.",
            "Build a parallel collection, or upgrade the server, one minor version after the other.",
        )

    @property
    def _tells_vectors(self) -> bool:
        with suppress(StoreError):
            self._learn_version()
        return versions.tells_vectors(self._version)

    def refuses_writes(self, name: str) -> StoreError | None:
        """What an access token says of itself; a plain key does not, and the server tells it at the first write."""
        if self._claims is None:
            return None
        name = self._collection_of(name)
        return self._claims.refuse(name, exists=name in self._names(), place=self._place)

    def size_on_disk(self) -> int | None:
        return None


def _parsed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise SettingsError(
            f'The store URL "{url}" cannot be understood: {error}.', f"Examples: {EXAMPLES}."
        ) from error
    if parts.username is not None or parts.password is not None:
        raise SettingsError(
            "The store URL carries a user name or password, which Qdrant does not use.",
            "Remove it, and set CONSOLE_STORE_API_KEY if the server wants a key.",
        )
    if parts.scheme not in ("http", "https", "grpc", "grpcs") or not host:
        raise SettingsError(f'The store URL "{url}" names no server.', f"Examples: {EXAMPLES}.")
    return parts


def _client(parts: SplitResult, api_key: str, timeout: int) -> QdrantClient:
    secure = parts.scheme in ("https", "grpcs")
    over_grpc = parts.scheme.startswith("grpc")
    grpc_port = (parts.port or 6334) if over_grpc else 6334
    rest_port = grpc_port - 1 if over_grpc else (parts.port or 6333)
    return QdrantClient(
        host=f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname,
        port=rest_port,
        grpc_port=grpc_port,
        prefer_grpc=over_grpc,
        https=secure,
        prefix=parts.path.strip("/") or None,
        # As a header and not as api_key=, which warns on every insecure connection; info() says it instead.
        headers={"api-key": api_key} if api_key else None,
        timeout=timeout,
        check_compatibility=False,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
