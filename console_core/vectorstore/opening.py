"""Which store a URL means."""

from pathlib import Path

from console_core.errors import SettingsError
from console_core.settings import StoreSettings
from console_core.vectorstore import qdrant_server
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from console_core.vectorstore.qdrant_server import QdrantServer
from console_core.vectorstore.types import VectorStore


def open_store(settings: StoreSettings) -> VectorStore:
    """The store that the settings name. A server need not be up; an embedded store is opened and locked at once.

    Raises:
        SettingsError: the URL is not of a known kind.
        StoreUnavailable: an embedded store cannot be opened.
    """
    scheme, colon, rest = settings.url.partition(":")
    match scheme:
        case "local" if rest:
            return QdrantEmbedded(Path(rest).expanduser())
        case "http" | "https" | "grpc" | "grpcs":
            return QdrantServer(
                settings.url, api_key=settings.api_key, timeout=settings.timeout, retries=settings.retries
            )
        case _:
            shown = f"{scheme}{colon}…" if colon else scheme
            raise SettingsError(
                f'"{shown}" is not a store that the console knows.',
                f"Set url in [store] of console.toml or CONSOLE_STORE_URL, for example local:qdrant, "
                f"{qdrant_server.EXAMPLES}.",
            )
