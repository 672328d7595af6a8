"""What each connection is, as names and values. Secrets are told as set or not set, never shown."""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from console_core.catalog.web_addresses import is_address
from console_core.console import Console
from console_core.embedding.device import usable_cores
from console_core.settings.changing import written
from console_core.settings.overruling import overruled
from console_core.settings.secrets import reference
from console_core.settings.section import FILE
from console_core.ui import session, words
from console_core.ui.connections.probes import root_state
from console_core.ui.panels import Marked
from console_core.web.api import ROUTES

ADDRESSES = ", ".join(f"{' '.join(sorted((route.methods or set()) - {'HEAD'}))} {route.path}" for route in ROUTES)
"""Of the search API: what programs can ask."""
LIBRARIES = (
    "torch",
    "open_clip_torch",
    "qdrant-client",
    "qdrant-edge-py",
    "sqlalchemy",
    "psycopg",
    "pillow",
    "streamlit",
    "plotly",
    "numpy",
)


def store(console: Console) -> Mapping[str, object]:
    info, settings = console.store.info(), console.settings.store
    facts: dict[str, object] = {"Kind": info.kind, "Location": info.location, "Version": info.version}
    if info.capacity:
        facts["Capacity"] = f"{info.capacity:,} points in a collection"
    if (size := console.store.size_on_disk()) is not None:
        facts["Size on disk"] = words.size(size)
    if not info.embedded:
        facts[settings.secret_name] = Marked(set_or_not(settings.secret))
        facts["Patience"] = f"{settings.timeout} s for an answer, {words.count(settings.retries, 'retry', 'retries')}"
    return facts


def catalog(console: Console) -> Mapping[str, object]:
    info = console.catalog.info()
    kinds = {
        "sql": "SQL table",
        "folder": "Folder",
        "list": "Image list",
        "table": "CSV, TSV or Parquet file",
        "collection": "Collection of the store",
    }
    facts: dict[str, object] = {
        "Kind": kinds.get(info.kind, info.kind),
        "Location": info.location,
        "Pictures": f"{console.catalog.count():,}",
        "Facets": ", ".join(info.facets) or "none",
    }
    facts |= {name.capitalize(): value for name, value in info.details.items()}
    if (column := console.embedding_column) is not None:
        facts["Embedding column"] = f"{column.settings.embedding}, made by what {column.settings.embedding_model} says"
    return facts


def images(console: Console) -> Mapping[str, object]:
    settings = console.settings.images
    facts: dict[str, object] = {}
    for number, root in enumerate(settings.roots, start=1):
        facts[f"Root {number}"] = Marked(f"{words.plain(root)} {_state(root)}")
    if settings.roots != tuple(map(str, settings.folders)):
        retries = words.count(settings.retries, "retry", "retries")
        facts["Patience"] = f"{settings.timeout:g} s without progress, {retries}, {settings.at_once} at once"
    if any(root.startswith("http") for root in settings.roots):
        facts["HTTP headers"] = Marked(set_or_not("".join(value for _, value in settings.http.headers)))
    if any(root.startswith("s3:") for root in settings.roots):
        facts["S3 endpoint"] = settings.s3.endpoint_url or "Amazon's own"
        facts["S3 secret"] = Marked(set_or_not(settings.s3.secret))
    return facts


def _state(root: str) -> str:
    """Of a folder what it is; a server is asked by the test only, for it may take long to answer."""
    if is_address(root):
        return ":gray-badge[on a server]"
    fine, state = root_state(Path(root))
    return f":{'green' if fine else 'red'}-badge[{state}]"


def api(console: Console) -> Mapping[str, object]:
    on = bool(console.settings.api_token)
    return {
        "State": Marked(":green-badge[on]" if on else ":gray-badge[off]"),
        "Token": _token(console),
        "Addresses": ADDRESSES,
    }


def _token(console: Console) -> str:
    """Where it comes from; never what it is."""
    if variable := overruled("api", "token"):
        return f"from {variable}"
    section = written(console.settings.workspace).table.get("api", {})
    token = section.get("token", "") if isinstance(section, Mapping) else ""
    if name := reference(str(token)):
        return f"from {name}"
    return f"written in {FILE}" if token else "not set"


def ledger(console: Console) -> Mapping[str, object]:
    owner = console.owner.holder if console.owner is not None else None
    return {
        "Database": console.database.location,
        "Owner": f"{owner.name} since {words.moment(owner.since, session.zone())}" if owner else "another process",
        "Worker": "working" if console.worker is not None and console.worker.alive() else "none in this process",
    }


def person(console: Console) -> Mapping[str, object]:
    settings = console.settings
    may = {
        "viewer": "may look",
        "judge": "may look, ask query sets and judge answers",
        "operator": "may look, migrate and verify",
        "admin": "may do everything, cut-overs included",
    }
    counts = f"{words.count(settings.verdict_hours, 'hour')} after a verification, unless something is written"
    name = f"as {settings.actor_header} says" if settings.actor_header else settings.actor
    return {"Name": name, "Role": f"{settings.role}: {may[settings.role]}", "A verdict counts": counts}


def device(console: Console) -> Mapping[str, object]:
    resident = ", ".join(console.models.resident())
    return {"Asked for": console.settings.device, "Cores": usable_cores(), "Models in memory": resident or "none"}


def libraries() -> Mapping[str, str]:
    found = {"Python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def set_or_not(secret: str) -> str:
    """Whether a secret is set, as a badge."""
    return ":green-badge[set]" if secret else ":gray-badge[not set]"
