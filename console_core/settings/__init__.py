"""What the console is connected to. The only reader of environment variables and of `console.toml`.

A workspace is a folder. `console.toml` in it says which store, catalog and pictures it belongs to; paths in it are
relative to the workspace. Environment variables win over the file:

CONSOLE_WORKSPACE       the workspace folder (default ./workspace)
CONSOLE_STORE_URL       local:<folder>, edge:<folder>, http(s)://host:6333, grpc(s)://host:6334 or
                        postgresql://user@host/database
CONSOLE_STORE_API_KEY   sent to the store (a PostgreSQL role's password, too); never shown, stored or logged
CONSOLE_CATALOG_URL     an SQLAlchemy URL, a folder, or an image list
CONSOLE_IMAGE_ROOT      folders that pictures may lie in, separated like PATH; relative paths start from the first
CONSOLE_LEDGER_URL      an SQLAlchemy URL (default: ledger.db in the workspace)
CONSOLE_DEVICE          auto, cpu or cuda
CONSOLE_ENGINE          where models run: auto (process on CUDA and from 8 cores), threads (the console's) or process
CONSOLE_PRECISION       of a model's weights: auto, float32, float16 or bfloat16
CONSOLE_ACTOR           the name written into the journal (default: the login name)
CONSOLE_ROLE            viewer, operator or admin (default: admin)
CONSOLE_ALLOWED_HOSTS   further host names that the server answers to, separated by commas
"""

import getpass
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from console_core.errors import SettingsError
from console_core.settings.places import database_url, path_of
from console_core.settings.places import store_url as store_url
from console_core.settings.section import FILE as FILE
from console_core.settings.section import Section, table_of

CatalogKind = Literal["sql", "folder", "list"]
Role = Literal["viewer", "operator", "admin"]
Precision = Literal["auto", "float32", "float16", "bfloat16"]
Engine = Literal["auto", "threads", "process"]
ENGINES: tuple[Engine, ...] = ("auto", "threads", "process")
PRECISIONS: tuple[Precision, ...] = ("auto", "float32", "float16", "bfloat16")
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")

_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "store": ("url", "api_key", "timeout", "retries"),
    "catalog": ("kind", "location", "table", "key", "paths", "payload", "facets", "updated_at", "recursive"),
    "images": ("root", "also"),
    "ledger": ("url",),
    "backups": ("folder", "keep"),
    "query_lab": ("examples",),
    "rollout": ("verdict_hours", "way_back_days", "follow_every", "holding_days"),
    "models": (),
}
_MODEL = ("architecture", "weights", "title", "dimension", "image_size")


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
    """What pictures exist. `location` is an SQLAlchemy URL, a folder or a list file, by `kind`.

    The fields after it say which columns of `table` mean what; they are not used by folders and lists.
    """

    kind: CatalogKind
    location: str
    table: str = ""
    key: str = "id"
    paths: tuple[str, ...] = ()
    payload: tuple[str, ...] = ()
    facets: tuple[str, ...] = ()
    updated_at: str = ""
    recursive: bool = True


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


def workspace_folder(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The workspace: as given, else CONSOLE_WORKSPACE, else ./workspace."""
    return (given or Path(environment.get("CONSOLE_WORKSPACE") or "workspace")).expanduser().resolve()


def allowed_hosts(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The host names that the server answers to: this machine's own, and those of CONSOLE_ALLOWED_HOSTS."""
    further = environment.get("CONSOLE_ALLOWED_HOSTS", "").split(",")
    return ("127.0.0.1", "localhost", *(host for host in map(str.strip, further) if host))


def read(workspace: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a workspace.

    Raises:
        SettingsError: there is no workspace, or the file or a variable is wrong.
    """
    workspace = workspace.resolve()
    file = workspace / FILE
    table = table_of(file)
    top = Section("", table, file, ("device", "precision", "engine", "unload_after", *_KNOWN))
    store, catalog, images, ledger, backups, query_lab, rollout = (
        Section(name, table.get(name, {}), file, _KNOWN[name])
        for name in ("store", "catalog", "images", "ledger", "backups", "query_lab", "rollout")
    )
    device = environment.get("CONSOLE_DEVICE") or top.text("device", "auto")
    if not _DEVICE.fullmatch(device):
        where = "CONSOLE_DEVICE" if environment.get("CONSOLE_DEVICE") else str(file)
        raise SettingsError(f'The device "{device}" in {where} is not known.', "Use auto, cpu, cuda or cuda:<number>.")
    precision = top.one_of(PRECISIONS, "precision", "CONSOLE_PRECISION", environment)
    engine = top.one_of(ENGINES, "engine", "CONSOLE_ENGINE", environment)
    role = environment.get("CONSOLE_ROLE") or "admin"
    if role not in ROLES:
        raise SettingsError(f'CONSOLE_ROLE="{role}" is not a role.', f"Use one of: {', '.join(ROLES)}.")
    pictures = _catalog(catalog, workspace, environment)
    ledger_url = environment.get("CONSOLE_LEDGER_URL") or ledger.text("url", "sqlite:///ledger.db")
    return Settings(
        workspace=workspace,
        store=_store(store, workspace, environment),
        catalog=pictures,
        image_roots=_image_roots(images, workspace, environment, pictures),
        ledger_url=database_url(workspace, ledger_url),
        backups=BackupSettings(path_of(workspace, backups.text("folder", "backups")), backups.number("keep", 0)),
        models=_models(table.get("models", {}), file),
        examples=tuple(text.strip() for text in query_lab.texts("examples") if text.strip()),
        verdict_hours=rollout.number("verdict_hours", 24, least=1),
        way_back_days=rollout.number("way_back_days", 7),
        holding_days=rollout.number("holding_days", 30),
        follow_every=rollout.number("follow_every", 15, least=1),
        device=device,
        precision=precision,
        engine=engine,
        unload_after=top.number("unload_after", 900),
        actor=environment.get("CONSOLE_ACTOR") or _login_name(),
        role=role,
    )


def _store(section: Section, workspace: Path, environment: Mapping[str, str]) -> StoreSettings:
    url = environment.get("CONSOLE_STORE_URL") or section.text("url", "local:qdrant")
    return StoreSettings(
        url=store_url(workspace, url),
        api_key=environment.get("CONSOLE_STORE_API_KEY") or section.text("api_key"),
        timeout=section.number("timeout", 30, least=1),
        retries=section.number("retries", 3),
    )


def _catalog(section: Section, workspace: Path, environment: Mapping[str, str]) -> CatalogSettings:
    given = environment.get("CONSOLE_CATALOG_URL", "")
    location = given or section.text("location", "images")
    kind = (not given and section.text("kind")) or _guess_kind(location, workspace)
    if kind not in ("sql", "folder", "list"):
        raise SettingsError(f'[catalog] kind = "{kind}" is not known.', "Use sql, folder or list.")
    if kind == "sql" and not section.text("table"):
        raise SettingsError(
            f"[catalog] in {workspace / FILE} names no table.", 'Add table = "…" with the table or view of pictures.'
        )
    return CatalogSettings(
        kind=cast(CatalogKind, kind),
        location=database_url(workspace, location) if kind == "sql" else str(path_of(workspace, location)),
        table=section.text("table"),
        key=section.text("key", "id"),
        **{name: section.texts(name) for name in ("paths", "payload", "facets")},
        updated_at=section.text("updated_at"),
        recursive=section.truth("recursive", True),
    )


def _guess_kind(location: str, workspace: Path) -> str:
    if "://" in location:
        return "sql"
    path = path_of(workspace, location)
    return "list" if path.is_file() or (path.suffix in (".txt", ".csv", ".list") and not path.is_dir()) else "folder"


def _models(table: Any, file: Path) -> tuple[ModelSettings, ...]:
    Section("models", table, file, tuple(table) if isinstance(table, dict) else ())
    return tuple(_model(Section(f"models.{key}", entry, file, _MODEL), key, file) for key, entry in table.items())


def _model(section: Section, key: str, file: Path) -> ModelSettings:
    if not section.text("architecture"):
        raise SettingsError(
            f"[models.{key}] in {file} names no architecture.",
            'Add architecture = "…", an open_clip name or local-dir:<folder>.',
        )
    return ModelSettings(
        key=key,
        architecture=section.text("architecture"),
        weights=section.text("weights"),
        title=section.text("title"),
        dimension=section.number("dimension", 0),
        image_size=section.number("image_size", 0),
    )


def _image_roots(
    section: Section, workspace: Path, environment: Mapping[str, str], catalog: CatalogSettings
) -> tuple[Path, ...]:
    """The configured folders, and the one that a folder catalog or an image list lies in."""
    given = environment.get("CONSOLE_IMAGE_ROOT")
    texts = given.split(os.pathsep) if given else [section.text("root", "images"), *section.texts("also")]
    roots = [path_of(workspace, text) for text in texts if text]
    if catalog.kind != "sql":
        location = Path(catalog.location)
        roots.append(location if catalog.kind == "folder" else location.parent)
    return tuple(dict.fromkeys(roots))


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"
