"""What an edited model costs: the collections that were made by it as it is now, and the way round that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from console_core.commands.searchable import is_another, made_by
from console_core.errors import ConsoleError, StoreError
from console_core.ui import session, words
from console_core.ui.connections.drafts import Values
from console_core.vectorstore.types import CollectionInfo

_ADD, _CHANGE = "Add the edited one as another entry", "Change this one"


@dataclass(frozen=True, slots=True)
class Choice:
    """`another` is the key of the entry to add instead, None where this one is to be changed; `ready` to be saved."""

    another: str | None = None
    ready: bool = True


def choose_consequence(model: str, now: Values, key: str) -> Choice:
    """Say which collections could be searched no more through the model as the form has it, and let a person choose.

    Nothing is asked where it would make the same vectors, or made none that are here.
    """
    console = session.console()
    before = next((one for one in console.settings.models if one.key == model), None)
    architecture, weights, template = (str(now[name]) for name in ("architecture", "weights", "template"))
    after = before and replace(before, architecture=architecture, weights=weights, template=template)
    if before is None or after is None or not is_another(before, after, console.settings.workspace):
        return Choice()
    try:
        names = _told(made_by(console, model))
        title = f"{words.count(len(names), 'collection')} could be searched no more" if names else ""
    except ConsoleError as error:
        names, title = [error.message], "Which collections were made by it cannot be told now"
    if not title:
        return Choice()
    listed = "\n".join(f"- {words.plain(name)}" for name in names)
    st.warning(
        f"{listed}\n\nMade by {words.plain(model)} as it is now. What is edited makes other vectors, so that searches, "
        "verifications and fills of them would be refused.",
        title=title,
        icon=":material/warning:",
    )
    if st.radio("What shall be done", [_ADD, _CHANGE], key=f"{key}-consequence") == _ADD:
        st.caption(f"{words.plain(model)} stays as it is, and a migration can lead to the other one.")
        return Choice((st.text_input("Key of the other entry", key=f"{key}-another") or "").strip())
    sure = st.checkbox("Change it, although these collections can be searched no more", key=f"{key}-sure")
    return Choice(ready=sure)


def named(model: str) -> str:
    """The collections that a model made, as the end of a sentence; "" where there is none or it cannot be told."""
    try:
        names = _told(made_by(session.console(), model))
    except StoreError:
        return ""
    return f": {words.plain(', '.join(names))}" if names else ""


def _told(collections: Sequence[CollectionInfo]) -> list[str]:
    return [
        f"{info.name} (searched as {', '.join(info.aliases)})" if info.aliases else info.name for info in collections
    ]
