"""What changes the settings: environment variables, and the lines of console.toml that they win over."""

import re
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from console_core import settings
from console_core.settings.overruling import OVERRULED

_LINE = re.compile(r"^(CONSOLE_\w+) +(.+)$", re.MULTILINE)

FILE_ONLY = {
    "unload_after": "seconds without use after which a model leaves the memory; 0: never",
    "[store] timeout, retries": "seconds for an answer; tries after the first",
    "[store.tables.<name>] table, key": "an application's own table in PostgreSQL, and the key of its rows",
    "[store.tables.<name>] vector, distance": "its column that applications search, and by which distance",
    "[store.tables.<name>] payload, functions": "columns to show with a vector; functions that follow at a cut-over",
    "[catalog] kind": "sql, folder, list, table or collection, where the location does not tell",
    "[catalog] table, key, paths": "the table, its key column or columns, and its path columns in the order to try",
    "[catalog] payload, facets, updated_at": "columns that points carry, that slices filter by, that tell a change",
    "[catalog] tenant": "the column that says whose a picture is: carried by points, and the first to choose a part by",
    "[catalog] embedding, embedding_model": "columns of the table that keep a picture's vector and its model's name",
    "[catalog] recursive": "whether subfolders of a folder belong to it",
    "[images] timeout, retries, at_once": "of servers: seconds without progress, tries after the first, transfers",
    "[images] largest": "MiB that a picture may have",
    "[images.http] headers": "sent to the hosts of http(s) roots and to no other, such as Authorization",
    "[images.s3] endpoint_url, key, secret, region, anonymous": "of S3, or of what speaks it; anonymous: no key",
    "[models.<key>] architecture, weights, title": "models of your own",
    "[models.<key>] template": "what a query is embedded as, with {} for the query; part of the model's fingerprint",
    "[backups] folder, keep": "where backups lie; how many proven ones of a collection pruning keeps",
    "[rollout] way_back_days": "days for which the former collection is kept in step after a cut-over",
    "[rollout] holding_days": "days after a cut-over before the former collection may be retired without a backup",
    "[rollout] follow_every": "seconds between two looks whether collections are in step with the catalog",
    "[rollout] verdict_hours": "for how many hours a verdict counts, unless something is written",
    "[api] enabled": "whether programs that send the token may search over HTTP",
    "[query_lab] examples": "queries that the Query lab suggests",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set, and what it means."""

    variable: str
    in_file: str
    meaning: str


def known() -> list[Setting]:
    """Everything that can be set, the environment first."""
    told = [Setting(name, _in_file(name), meaning) for name, meaning in _LINE.findall(settings.__doc__ or "")]
    return [*told, *(Setting("", name, meaning) for name, meaning in FILE_ONLY.items())]


def _in_file(variable: str) -> str:
    """The settings of console.toml that a variable wins over."""
    found = [place for place, winner in OVERRULED.items() if winner == variable]
    names = ", ".join(name for _, name in found)
    return f"[{found[0][0]}] {names}" if found and found[0][0] else names


def variables() -> None:
    """The list as a table."""
    rows = [
        {"Environment variable": one.variable or "–", "console.toml": one.in_file or "–", "Meaning": one.meaning}
        for one in known()
    ]
    st.table(pd.DataFrame(rows).style.hide(), border="horizontal", alt="Settings and what they mean")
