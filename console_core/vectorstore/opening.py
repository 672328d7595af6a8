"""Which store a URL means. An adapter and its client, which takes a second to import, come with the first use."""

from pathlib import Path

from console_core.errors import SettingsError
from console_core.settings import StoreSettings
from console_core.vectorstore.traffic import Traffic
from console_core.vectorstore.types import VectorStore


def open_store(settings: StoreSettings, traffic: Traffic | None = None, *, dry: bool = False) -> VectorStore:
    """The store that the settings name. A server need not be up; an embedded store is opened and locked at once.

    Its searches are counted in `traffic`. `dry` promises that nothing is written: it leaves every byte of an embedded
    store as it is.

    Raises:
        SettingsError: the URL is not of a known kind, or its driver is not installed.
        StoreUnavailable: an embedded store cannot be opened.
    """
    if settings.is_postgresql:
        return _postgresql(settings, traffic, dry=dry)
    scheme, colon, rest = settings.url.partition(":")
    match scheme:
        case "local" if rest:
            from console_core.vectorstore.qdrant_embedded import QdrantEmbedded

            return QdrantEmbedded(Path(rest).expanduser(), traffic, dry=dry)
        case "edge" if rest:
            from console_core.vectorstore.edge import EdgeStore

            return EdgeStore(Path(rest).expanduser(), traffic, timeout=settings.timeout, dry=dry)
        case "sqlite" | "blob" if rest:
            from console_core.vectorstore.blob_store import blob_store

            return blob_store(settings, traffic, dry=dry)
        case "http" | "https" | "grpc" | "grpcs":
            from console_core.vectorstore.qdrant_server import QdrantServer

            return QdrantServer(
                settings.url,
                api_key=settings.api_key,
                timeout=settings.timeout,
                retries=settings.retries,
                traffic=traffic,
            )
        case _:
            from console_core.vectorstore.qdrant_server import EXAMPLES

            shown = f"{scheme}{colon}…" if colon else scheme
            raise SettingsError(
                f'"{shown}" is not a store that the console knows.',
                "Set url in [store] of console.toml or CONSOLE_STORE_URL, for example local:qdrant, edge:qdrant-edge, "
                f"{EXAMPLES}, postgresql://user@host/database, sqlite:///app.db.",
            )


def _postgresql(settings: StoreSettings, traffic: Traffic | None, *, dry: bool) -> VectorStore:
    try:
        from console_core.vectorstore.pgvector import pgvector_store
    except ImportError as error:
        raise SettingsError(
            f"A PostgreSQL store needs the driver psycopg, which cannot be loaded: {error}.",
            "Install it where the console runs: pip install 'embedding-console[postgres]'.",
        ) from error
    return pgvector_store(settings, traffic, dry=dry)
