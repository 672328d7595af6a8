"""What the console is connected to. The only reader of environment variables and of `console.toml`.

A workspace is a folder. `console.toml` in it says which store, catalog and pictures it belongs to; paths in it are
relative to the workspace, and `${NAME}` in a text stands for the environment's value of that name. Environment
variables win over the file:

CONSOLE_WORKSPACE       the workspace folder (default ./workspace)
CONSOLE_STORE_URL       local:<folder>, edge:<folder>, http(s)://host:6333, grpc(s)://host:6334 or
                        postgresql://user@host/database, or sqlite:///file for vectors as bytes
CONSOLE_STORE_API_KEY   sent to the store (a PostgreSQL role's password, too); never shown, stored or logged
CONSOLE_CATALOG_URL     an SQLAlchemy URL, a folder, an image list, or a CSV, TSV or Parquet file
CONSOLE_IMAGE_ROOT      folders, http(s)://host/prefix/ or s3://bucket/prefix/ of pictures, separated like PATH;
                        relative paths start from the first
CONSOLE_LEDGER_URL      an SQLAlchemy URL (default: ledger.db in the workspace)
CONSOLE_DEVICE          auto, cpu or cuda
CONSOLE_ENGINE          where models run: auto (process on CUDA and from 8 cores), threads (the console's) or process
CONSOLE_PRECISION       of a model's weights: auto, float32, float16 or bfloat16
CONSOLE_ACTOR           the name written into the journal (default: the login name)
CONSOLE_ACTOR_HEADER    the request header in which a proxy names who signed in; then that name acts, and whoever
                        comes without it only looks
CONSOLE_ROLE            viewer, judge, operator or admin (default: admin)
CONSOLE_API_TOKEN       what programs must send to search over HTTP (docs/search-api.md); never shown, stored or logged
CONSOLE_ALLOWED_HOSTS   further host names that the server answers to, separated by commas
"""

import getpass
import os
import re
from collections.abc import Mapping
from pathlib import Path

from console_core.errors import SettingsError
from console_core.settings.api import API, api_token
from console_core.settings.images import IMAGES, image_settings
from console_core.settings.models import model_settings
from console_core.settings.pictures import CATALOG, catalog_settings
from console_core.settings.pictures import catalog_location as catalog_location
from console_core.settings.places import database_url, path_of
from console_core.settings.places import store_url as store_url
from console_core.settings.section import FILE as FILE
from console_core.settings.section import Section, table_of
from console_core.settings.store import STORE, store_settings
from console_core.settings.types import ENGINES as ENGINES
from console_core.settings.types import PRECISIONS as PRECISIONS
from console_core.settings.types import ROLES as ROLES
from console_core.settings.types import BackupSettings as BackupSettings
from console_core.settings.types import CatalogKind as CatalogKind
from console_core.settings.types import CatalogSettings as CatalogSettings
from console_core.settings.types import HttpSettings as HttpSettings
from console_core.settings.types import ImageSettings as ImageSettings
from console_core.settings.types import ModelSettings as ModelSettings
from console_core.settings.types import Precision as Precision
from console_core.settings.types import Role as Role
from console_core.settings.types import S3Settings as S3Settings
from console_core.settings.types import Settings as Settings
from console_core.settings.types import StoreSettings as StoreSettings
from console_core.settings.types import TableSettings as TableSettings
from console_core.settings.types import reaches as reaches

_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "store": STORE,
    "catalog": CATALOG,
    "images": IMAGES,
    "ledger": ("url",),
    "backups": ("folder", "keep"),
    "query_lab": ("examples",),
    "api": API,
    "rollout": ("verdict_hours", "way_back_days", "follow_every", "holding_days"),
    "models": (),
}


def workspace_folder(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The workspace: as given, else CONSOLE_WORKSPACE, else ./workspace."""
    return (given or Path(environment.get("CONSOLE_WORKSPACE") or "workspace")).expanduser().resolve()


def allowed_hosts(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The host names that the server answers to: this machine's own, and those of CONSOLE_ALLOWED_HOSTS."""
    further = environment.get("CONSOLE_ALLOWED_HOSTS", "").split(",")
    return ("127.0.0.1", "localhost", *(host for host in map(str.strip, further) if host))


def read(workspace: Path, environment: Mapping[str, str] = os.environ, *, text: str | None = None) -> Settings:
    """The settings of a workspace; with `text` what they would be if its file were that.

    Raises:
        SettingsError: there is no workspace, or the file or a variable is wrong.
    """
    workspace = workspace.resolve()
    file = workspace / FILE
    table = table_of(file, environment, text)
    top = Section("", table, file, ("device", "precision", "engine", "unload_after", *_KNOWN))
    store, catalog, images, ledger, backups, query_lab, rollout, api = (
        Section(name, table.get(name, {}), file, _KNOWN[name])
        for name in ("store", "catalog", "images", "ledger", "backups", "query_lab", "rollout", "api")
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
    pictures = catalog_settings(catalog, workspace, environment)
    ledger_url = environment.get("CONSOLE_LEDGER_URL") or ledger.text("url", "sqlite:///ledger.db")
    return Settings(
        workspace=workspace,
        store=store_settings(store, workspace, environment),
        catalog=pictures,
        images=image_settings(images, workspace, environment, pictures),
        ledger_url=database_url(workspace, ledger_url),
        backups=BackupSettings(path_of(workspace, backups.text("folder", "backups")), backups.number("keep", 0)),
        models=model_settings(table.get("models", {}), file),
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
        actor_header=environment.get("CONSOLE_ACTOR_HEADER", "").strip(),
        role=role,
        api_token=api_token(api, environment),
    )


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"
