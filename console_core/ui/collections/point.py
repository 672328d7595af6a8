"""One point in a drawer: the picture, what it carries, and where it comes from."""

from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any

import streamlit as st

from console_core.catalog.names import told
from console_core.errors import ConsoleError
from console_core.ui import frame, navigation, panels, pictures, session, words
from console_core.ui.panels import Marked
from console_core.vectorstore.provenance import Provenance, application_payload, picture_key, point_id, provenance
from console_core.vectorstore.types import CollectionInfo, Point
from console_core.web.pictures import thumb_url

_PICTURE = "display:block;width:100%;max-height:360px;object-fit:contain;border-radius:6px"


def point_drawer(info: CollectionInfo) -> None:
    """The point of the address, where there is one. Closing the drawer takes it out of the address."""
    wanted = session.parameter("point")
    if not wanted:
        return

    def body() -> None:
        try:
            found = session.console().store.retrieve(info.name, [point_id(wanted)])
        except ConsoleError as error:
            frame.problem(error, key="point")
            return
        if found:
            _point(info, found[0])
        else:
            panels.empty_state("This point is gone", f"{info.name} has no point {wanted} any more.")

    st.dialog(f"Point {words.plain(wanted)}", position="right", on_dismiss=_forget)(body)()


def _forget() -> None:
    st.query_params.pop("point", None)


def _point(info: CollectionInfo, point: Point) -> None:
    payload, origin = application_payload(point.payload), provenance(point.payload)
    key = picture_key(point.id, point.payload)
    row = pictures.rows_by_key([key]).get(key)
    address = escape(thumb_url(key, row.revision if row else "", "large"), quote=True)
    st.html(f'<img src="{address}" alt="{escape(pictures.caption(key, payload), quote=True)}" style="{_PICTURE}">')
    if row is None:
        st.warning(
            "The catalog has no picture of this key any more: the point is orphaned.", icon=":material/link_off:"
        )
    panels.details({"Point": point.id, "Catalog key": told(key), "File": pictures.file_name(row)}, alt="Which point")
    st.markdown("**Payload**")
    if payload:
        panels.details(_flat(pictures.shown(payload)), alt="Payload")
    else:
        st.caption("It carries none.")
    st.markdown("**Where it comes from**")
    if origin is None:
        st.caption("The console did not write this point, so it says nothing about its model and time.")
    else:
        _origin(info, origin)


def _origin(info: CollectionInfo, origin: Provenance) -> None:
    same = info.stamp is not None and origin.fingerprint == info.stamp.fingerprint
    model = info.stamp.model if same and info.stamp else "another than the collection's"
    facts: dict[str, object] = {
        "Model": model if origin.fingerprint else "",
        "Fingerprint": Marked(f"`{origin.fingerprint}`") if origin.fingerprint else "",
        "Run": origin.run,
        "Embedded": session.when(_time(origin.embedded_at)) if origin.embedded_at else "",
        "Picture's digest": Marked(f"`{words.digest(origin.content)}`") if origin.content else "",
    }
    panels.details(facts, alt="Where it comes from")
    if origin.run.startswith("r-"):
        navigation.link("runs", "Open the run", run=origin.run)


def _flat(payload: Mapping[str, Any]) -> dict[str, object]:
    return {name: value if isinstance(value, str | int | float) else str(value) for name, value in payload.items()}


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
