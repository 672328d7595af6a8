"""Where an entry of the journal leads: to the run, the migration or the collection that it is about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import streamlit as st

from console_core.console import Console
from console_core.errors import StoreError
from console_core.runs.types import JournalEntry
from console_core.ui import navigation, words

_RUN = re.compile(r"r-[0-9a-z]{6}")
_MIGRATION = re.compile(r"m-[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class Subjects:
    """What exists now: collections by their own names and aliases."""

    collections: Mapping[str, str]

    @classmethod
    def known(cls, console: Console) -> Self:
        """What the store has; nothing where it does not answer, because the journal can be read all the same."""
        try:
            return cls({**{info.name: info.name for info in console.store.collections()}, **console.store.aliases()})
        except StoreError:
            return cls({})

    def page(self, entry: JournalEntry) -> tuple[str, dict[str, str]] | None:
        """The page about an entry's subject, and its parameters; None where there is none."""
        if _RUN.fullmatch(entry.subject):
            return "runs", {"run": entry.subject}
        if entry.action == "start_migration" and (found := _MIGRATION.match(entry.detail)):
            return "migrations", {"migration": found[0]}
        if entry.subject in self.collections:
            return "collections", {"collection": self.collections[entry.subject]}
        return None

    def link(self, entry: JournalEntry) -> None:
        """The subject, as a link where there is a page about it."""
        if not entry.subject:
            return
        if found := self.page(entry):
            name, parameters = found
            navigation.link(name, words.plain(entry.subject), **parameters)
        else:
            st.markdown(words.plain(entry.subject), width="content")
