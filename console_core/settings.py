"""What the console is connected to. The only reader of environment variables and of `console.toml`.

A workspace is a folder. `console.toml` in it says which store, catalog and pictures it belongs to; paths in it are
relative to the workspace. Environment variables win over the file:

CONSOLE_WORKSPACE       the workspace folder (default ./workspace)
CONSOLE_STORE_URL       local:<folder>, http(s)://host:6333 or grpc(s)://host:6334
CONSOLE_STORE_API_KEY   sent to the store; never shown, stored or logged
CONSOLE_CATALOG_URL     an SQLAlchemy URL, a folder, or an image list
CONSOLE_IMAGE_ROOT      folders that pictures may lie in, separated like PATH; relative paths start from the first
CONSOLE_LEDGER_URL      an SQLAlchemy URL (default: ledger.db in the workspace)
CONSOLE_DEVICE          auto, cpu or cuda
CONSOLE_ACTOR           the name written into the journal (default: the login name)
CONSOLE_ROLE            viewer, operator or admin (default: admin)
CONSOLE_ALLOWED_HOSTS   further host names that the server answers to, separated by commas
"""

import getpass
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, NoReturn, cast

from console_core.errors import SettingsError

FILE = "console.toml"

CatalogKind = Literal["sql", "folder", "list"]
Role = Literal["viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")

_LEDGER = "sqlite:///ledger.db"
_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "store": ("url", "api_key", "timeout", "retries"),
    "catalog": ("kind", "location", "table", "key", "paths", "payload", "facets", "updated_at", "recursive"),
    "images": ("root", "also"),
    "ledger": ("url",),
    "query_lab": ("examples",),
    "rollout": ("verdict_hours",),
    "models": (),
}
_MODEL = ("architecture", "weights", "title", "dimension", "image_size")


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where vectors are stored. `timeout` is in seconds, `retries` counts tries after the first."""

    url: str
    api_key: str = field(default="", repr=False)
    timeout: int = 30
    retries: int = 3


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
class Settings:
    """`examples` are queries that the Query lab suggests. A verdict counts for `verdict_hours`."""

    workspace: Path
    store: StoreSettings
    catalog: CatalogSettings
    image_roots: tuple[Path, ...]
    ledger_url: str
    models: tuple[ModelSettings, ...] = ()
    examples: tuple[str, ...] = ()
    verdict_hours: int = 24
    device: str = "auto"
    actor: str = "operator"
    role: Role = "admin"

    @property
    def cache(self) -> Path:
        """Files that can be deleted at any time: thumbnails, weights digests."""
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
    table = _table(file)
    top = _Section("", table, file, ("device", *_KNOWN))
    store, catalog, images, ledger, query_lab, rollout = (
        _Section(name, table.get(name, {}), file, _KNOWN[name])
        for name in ("store", "catalog", "images", "ledger", "query_lab", "rollout")
    )
    device = environment.get("CONSOLE_DEVICE") or top.text("device", "auto")
    if not _DEVICE.fullmatch(device):
        where = "CONSOLE_DEVICE" if environment.get("CONSOLE_DEVICE") else str(file)
        raise SettingsError(f'The device "{device}" in {where} is not known.', "Use auto, cpu, cuda or cuda:<number>.")
    role = environment.get("CONSOLE_ROLE") or "admin"
    if role not in ROLES:
        raise SettingsError(f'CONSOLE_ROLE="{role}" is not a role.', f"Use one of: {', '.join(ROLES)}.")
    pictures = _catalog(catalog, workspace, environment)
    return Settings(
        workspace=workspace,
        store=_store(store, workspace, environment),
        catalog=pictures,
        image_roots=_image_roots(images, workspace, environment, pictures),
        ledger_url=_database_url(workspace, environment.get("CONSOLE_LEDGER_URL") or ledger.text("url", _LEDGER)),
        models=_models(table.get("models", {}), file),
        examples=tuple(text.strip() for text in query_lab.texts("examples") if text.strip()),
        verdict_hours=rollout.number("verdict_hours", 24, least=1),
        device=device,
        actor=environment.get("CONSOLE_ACTOR") or _login_name(),
        role=role,
    )


def _table(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError as error:
        raise SettingsError(
            f"{file.parent} is not a workspace: it has no {FILE}.",
            "Run `embedding-console demo` for the demo workspace, or write the file (README, Connect your own).",
        ) from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}.", "Mend the file; it must be valid TOML.") from error


class _Section:
    """A section of the file, "" for its top level. A value of another type than asked for is a SettingsError."""

    def __init__(self, name: str, values: Any, file: Path, known: Sequence[str]) -> None:
        self._where = f"[{name}] in {file}" if name else str(file)
        if not isinstance(values, dict):
            raise SettingsError(f"{self._where} is not a table.", f"Write it as a section: [{name}].")
        if unknown := next((key for key in values if key not in known), None):
            near = get_close_matches(unknown, known, 1)
            remedy = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(known)}."
            raise SettingsError(f'{self._where} has "{unknown}", which is not a setting.', remedy)
        self._values: dict[str, Any] = values

    def text(self, key: str, default: str = "") -> str:
        value = self._values.get(key, default)
        return value if isinstance(value, str) else self._wrong(key, f'{key} = "…"')

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._values.get(key, [])
        fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return tuple(value) if fits else self._wrong(key, f'{key} = ["…"]')

    def number(self, key: str, default: int, *, least: int = 0) -> int:
        value = self._values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            self._wrong(key, f"{key} = {max(default, least)}, a whole number of at least {least}")
        return value

    def truth(self, key: str, default: bool) -> bool:
        value = self._values.get(key, default)
        return value if isinstance(value, bool) else self._wrong(key, f"{key} = {str(default).lower()}")

    def _wrong(self, key: str, wanted: str) -> NoReturn:
        raise SettingsError(f"{key} of {self._where} is {self._values[key]!r}.", f"Write {wanted}.")


def _store(section: _Section, workspace: Path, environment: Mapping[str, str]) -> StoreSettings:
    url = environment.get("CONSOLE_STORE_URL") or section.text("url", "local:qdrant")
    if url.startswith("local:"):
        url = f"local:{_path(workspace, url.removeprefix('local:'))}"
    return StoreSettings(
        url=url,
        api_key=environment.get("CONSOLE_STORE_API_KEY") or section.text("api_key"),
        timeout=section.number("timeout", 30, least=1),
        retries=section.number("retries", 3),
    )


def _catalog(section: _Section, workspace: Path, environment: Mapping[str, str]) -> CatalogSettings:
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
        location=_database_url(workspace, location) if kind == "sql" else str(_path(workspace, location)),
        table=section.text("table"),
        key=section.text("key", "id"),
        **{name: section.texts(name) for name in ("paths", "payload", "facets")},
        updated_at=section.text("updated_at"),
        recursive=section.truth("recursive", True),
    )


def _guess_kind(location: str, workspace: Path) -> str:
    if "://" in location:
        return "sql"
    path = _path(workspace, location)
    return "list" if path.is_file() or (path.suffix in (".txt", ".csv", ".list") and not path.is_dir()) else "folder"


def _models(table: Any, file: Path) -> tuple[ModelSettings, ...]:
    _Section("models", table, file, tuple(table) if isinstance(table, dict) else ())
    return tuple(_model(_Section(f"models.{key}", entry, file, _MODEL), key, file) for key, entry in table.items())


def _model(section: _Section, key: str, file: Path) -> ModelSettings:
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
    section: _Section, workspace: Path, environment: Mapping[str, str], catalog: CatalogSettings
) -> tuple[Path, ...]:
    """The configured folders, and the one that a folder catalog or an image list lies in."""
    given = environment.get("CONSOLE_IMAGE_ROOT")
    texts = given.split(os.pathsep) if given else [section.text("root", "images"), *section.texts("also")]
    roots = [_path(workspace, text) for text in texts if text]
    if catalog.kind != "sql":
        location = Path(catalog.location)
        roots.append(location if catalog.kind == "folder" else location.parent)
    return tuple(dict.fromkeys(roots))


def _path(workspace: Path, text: str) -> Path:
    try:
        return (workspace / Path(text).expanduser()).resolve()
    except (RuntimeError, ValueError) as error:  # ~ of a user who does not exist, or a NUL
        raise SettingsError(f"{text!r} is not a path: {error}", "Write an absolute path.") from error


def _database_url(workspace: Path, url: str) -> str:
    """SQLite files are relative to the workspace; every other URL stays as it is."""
    prefix, slashes, file = url.partition(":///")
    if not prefix.startswith("sqlite") or not slashes or file in ("", ":memory:"):
        return url
    return f"{prefix}:///{_path(workspace, file)}"


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"
