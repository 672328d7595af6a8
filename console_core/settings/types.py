"""The words of the settings: what the console is connected to, as plain data."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

CatalogKind = Literal["sql", "folder", "list", "table", "collection"]
Role = Literal["viewer", "judge", "operator", "admin"]
Precision = Literal["auto", "float32", "float16", "bfloat16"]
Engine = Literal["auto", "threads", "process"]
ENGINES: tuple[Engine, ...] = ("auto", "threads", "process")
CATALOG_KINDS: tuple[CatalogKind, ...] = ("sql", "folder", "list", "table", "collection")
PRECISIONS: tuple[Precision, ...] = ("auto", "float32", "float16", "bfloat16")
ROLES: tuple[Role, ...] = ("viewer", "judge", "operator", "admin")


def reaches(role: Role, needed: Role) -> bool:
    """Whether somebody with this role may do what needs the other one."""
    return ROLES.index(role) >= ROLES.index(needed)


@dataclass(frozen=True, slots=True)
class TableSettings:
    """An application's own table whose vector columns are collections: `name.column` each, where `name` is ours.

    `table` may name its schema. Applications search the column `vector`, of whatever model it is; its rows are told by
    `key`, one column of whole numbers or UUIDs. `payload` are the columns that a point of a vector shows which the
    console did not write; empty: all that can be shown. `functions` of the database follow when another column takes
    that name; empty: those that speak of the table and the column.
    """

    name: str
    table: str
    key: str = "id"
    vector: str = "embedding"
    distance: str = "cosine"
    payload: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where vectors are stored. `timeout` is in seconds, `retries` counts tries after the first.

    The URL of a PostgreSQL database may carry a password; `api_key` is the password where it carries none. `tables` are
    an application's own, in that database.
    """

    url: str = field(repr=False)
    api_key: str = field(default="", repr=False)
    timeout: int = 30
    retries: int = 3
    tables: tuple[TableSettings, ...] = ()

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
    whose a picture is. `embedding` is SQL's column that keeps a picture's vector and `embedding_model` the one that
    says which model made it; "" for both where the table has none.
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
    embedding: str = ""
    embedding_model: str = ""

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
class HttpSettings:
    """`headers` go with every request to a host of a configured root, and to no other."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Without `key` and `secret` those of AWS's own environment variables are used, or the role of the machine;
    `anonymous` uses none. `endpoint_url` is that of another store than Amazon's which speaks S3."""

    endpoint_url: str = ""
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    region: str = ""
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """Where pictures may lie: absolute folders, `http(s)://host/prefix/` and `s3://bucket/prefix/`. Relative paths of
    the catalog start from the first.

    Of what is fetched from a server: `timeout` is the seconds that connecting, or the next bytes, may take; `retries`
    counts tries after the first; `at_once` is how many transfers there are at a time. A picture has at most `largest`
    MiB, wherever it lies.
    """

    roots: tuple[str, ...] = ()
    timeout: float = 30
    retries: int = 4
    at_once: int = 32
    largest: int = 100
    http: HttpSettings = HttpSettings()
    s3: S3Settings = S3Settings()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Those of the roots that are folders of this machine."""
        return tuple(Path(root) for root in self.roots if "://" not in root)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Those of the roots that are prefixes on servers, each with a slash at its end."""
        return tuple(root for root in self.roots if "://" in root)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """A model of the user's own, in addition to the built-in cards. `dimension` 0: ask the model.

    A query is embedded as `template` with the query for {}; "": as it is.
    """

    key: str
    architecture: str
    weights: str = ""
    title: str = ""
    dimension: int = 0
    image_size: int = 0
    template: str = ""


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
    leaves the memory; 0: never. Whoever sends `api_token` may search over HTTP; "": nobody may.
    """

    workspace: Path
    store: StoreSettings
    catalog: CatalogSettings
    images: ImageSettings
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
    actor_header: str = ""
    role: Role = "admin"
    api_token: str = field(default="", repr=False)

    @property
    def image_roots(self) -> tuple[Path, ...]:
        """The folders among the places that pictures may lie in."""
        return self.images.folders

    @property
    def cache(self) -> Path:
        """Files that can be deleted at any time: thumbnails, pictures that were asked with, batch sizes of devices,
        what timm said of models."""
        return self.workspace / "cache"
