"""The words of the settings: what the console is connected to, as plain data."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

CatalogKind = Literal["sql", "folder", "list", "table", "collection"]
Role = Literal["viewer", "operator", "admin"]
Precision = Literal["auto", "float32", "float16", "bfloat16"]
Engine = Literal["auto", "threads", "process"]
ENGINES: tuple[Engine, ...] = ("auto", "threads", "process")
CATALOG_KINDS: tuple[CatalogKind, ...] = ("sql", "folder", "list", "table", "collection")
PRECISIONS: tuple[Precision, ...] = ("auto", "float32", "float16", "bfloat16")
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where vectors are stored. `timeout` is in seconds, `retries` counts tries after the first.

    The URL of a PostgreSQL database may carry a password; `api_key` is the password where it carries none.
    """

    url: str = field(repr=False)
    api_key: str = field(default="", repr=False)
    timeout: int = 30
    retries: int = 3

    @property
    def is_postgresql(self) -> bool:
        return self.url.partition(":")[0] in ("postgresql", "postgresql+psycopg", "postgres")

    @property
    def secret(self) -> str:
        """The key, or the password in a PostgreSQL URL: to tell whether there is one, never to be shown."""
        found = re.match(r"[^/]*//[^/@:]*:([^/@]+)@", self.url) if self.is_postgresql else None
        return found[1] if found else self.api_key

    @property
    def secret_name(self) -> str:
        return "Password" if self.is_postgresql else "API key"


@dataclass(frozen=True, slots=True)
class CatalogSettings:
    """What pictures exist. `location` is by `kind` an SQLAlchemy URL, a folder, an image list, a CSV, TSV or Parquet
    file, or the name of a collection or alias of the store.

    The fields after it say which columns (of a collection: which payload fields) mean what; they are not used by
    folders and lists. `table` is SQL's only; `key` is not used by collections, whose points have ids. `tenant` says
    whose a picture is.
    """

    kind: CatalogKind
    location: str
    table: str = ""
    key: str | tuple[str, ...] = "id"
    paths: tuple[str, ...] = ()
    payload: tuple[str, ...] = ()
    facets: tuple[str, ...] = ()
    updated_at: str = ""
    recursive: bool = True
    tenant: str = ""

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The column that identifies rows, or those that do together."""
        return (self.key,) if isinstance(self.key, str) else self.key

    @property
    def slices_by(self) -> tuple[str, ...]:
        """What a slice may filter by: the facets, with the tenant first."""
        return tuple(dict.fromkeys(name for name in (self.tenant, *self.facets) if name))

    @property
    def carried(self) -> tuple[str, ...]:
        """What points carry: the payload, and the tenant."""
        return tuple(dict.fromkeys(name for name in (*self.payload, self.tenant) if name))


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """A model of the user's own, in addition to the built-in cards. `dimension` 0: ask the model."""

    key: str
    architecture: str
    weights: str = ""
    title: str = ""
    dimension: int = 0
    image_size: int = 0


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """Where backups lie, and how many proven ones of a collection are kept; 0: all."""

    folder: Path
    keep: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """`examples` are queries that the Query lab suggests. A verdict counts for `verdict_hours`.

    After a cut-over the former collection is kept in step with the catalog for `way_back_days`; whether collections
    still are in step is looked at every `follow_every` seconds. `holding_days` after a cut-over it may be retired
    without a proven backup. Models are computed in `precision`, and one that was not used for `unload_after` seconds
    leaves the memory; 0: never.
    """

    workspace: Path
    store: StoreSettings
    catalog: CatalogSettings
    image_roots: tuple[Path, ...]
    ledger_url: str
    backups: BackupSettings
    models: tuple[ModelSettings, ...] = ()
    examples: tuple[str, ...] = ()
    verdict_hours: int = 24
    way_back_days: int = 7
    follow_every: int = 15
    holding_days: int = 30
    device: str = "auto"
    precision: Precision = "auto"
    engine: Engine = "auto"
    unload_after: int = 900
    actor: str = "operator"
    role: Role = "admin"

    @property
    def cache(self) -> Path:
        """Files that can be deleted at any time: thumbnails, batch sizes of devices."""
        return self.workspace / "cache"
