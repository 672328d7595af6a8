"""Put the pictures of a folder or a list into a collection: looked at first, then as a run."""

from pathlib import Path

import streamlit as st

from console_core.embedding.preprocessing import Mode
from console_core.errors import ConsoleError
from console_core.migration.ingest import IngestPlan, Survey, survey
from console_core.migration.ingesting import USUAL_NAMESPACE, Wish
from console_core.migration.plan import USUAL_BATCH
from console_core.runs.manners import MOST_BATCH
from console_core.runs.types import Run
from console_core.ui import navigation, panels, session, words
from console_core.ui.permission import command_button
from console_core.vectorstore.readonly import ReadOnlyStore

_LOOKED_AT = "ingest-looked-at"
_AS_IT_WAS = "The collection's own"


def ingest_card() -> None:
    """A form, what a look at the pictures found, and the button that starts."""
    with st.expander("Ingest pictures…", icon=":material/add_photo_alternate:", key="ingest", on_change="rerun") as box:
        if not box.open:
            return
        roots = ", ".join(words.plain(root) for root in session.console().settings.images.roots)
        st.caption(
            "A folder, or a list of lines path,label, where a path may be an address. The pictures must lie in the "
            f"image roots: {roots}."
        )
        wish = _wish()
        if wish is None:
            return
        if command_button("Look first", "ingest", key="ingest-look", icon=":material/search:"):
            st.session_state[_LOOKED_AT] = wish, _looked(wish)
        former, found = st.session_state.get(_LOOKED_AT, (None, None))
        if former != wish or found is None:
            return
        if isinstance(found, ConsoleError):
            st.error(words.plain(found.remedy), title=words.plain(found.message), icon=":material/error:")
            return
        _start(wish, *found)


def _wish() -> Wish | None:
    """What the form says; None while it lacks something."""
    console = session.console()
    names = [info.name for info in console.store.collections()]
    left, right = st.columns(2)
    path = left.text_input("Folder or list", key="ingest-path", placeholder="/srv/pictures/2026").strip()
    namespace = right.text_input("Namespace", value=USUAL_NAMESPACE, key="ingest-namespace").strip()
    offered = list(dict.fromkeys((*names, *filter(None, [st.session_state.get("ingest-into")]))))
    into = left.selectbox("Collection", offered, key="ingest-into", index=None, accept_new_options=True)
    models = [card.key for card in console.models.cards.all()]
    exists = into in names or into in console.store.aliases()
    model = right.selectbox("Model", [_AS_IT_WAS] if exists else models, key="ingest-model", disabled=exists)
    recursive = left.checkbox("With subfolders", value=True, key="ingest-recursive")
    again = right.checkbox("Embed again what is there already", key="ingest-again")
    size = left.number_input(
        "Batch size, in pictures",
        1,
        MOST_BATCH,
        value=USUAL_BATCH,
        key="ingest-batch",
        help="How many pictures are embedded, written and recorded at a time. The usual size is right for most stores.",
    )
    modes = [_AS_IT_WAS] if exists else [mode.value for mode in Mode]
    mode = right.selectbox(
        "How pictures are decoded",
        modes,
        0 if exists else modes.index(Mode.FAST),
        key="ingest-mode",
        disabled=exists,
        help=" ".join(f"{mode.capitalize()}: {mode.meaning}" for mode in Mode),
    )
    if not path or not into:
        st.caption("Name a folder or a list, and the collection that its pictures shall be put into.")
        return None
    made_by, decoded = ("", None) if exists else (model or "", None if mode == _AS_IT_WAS else Mode(mode))
    return Wish(Path(path), into, namespace, recursive, made_by, decoded, int(size), again)


def _looked(wish: Wish) -> tuple[IngestPlan, Survey] | ConsoleError:
    """What would be done; nothing is written."""
    console = session.console()
    with st.spinner("Looking at the pictures and the collection…"):
        try:
            ingesting = console.ingesting()
            plan = ingesting.plan(wish)
            return plan, survey(plan, ingesting.catalog(plan), ReadOnlyStore(console.store))
        except ConsoleError as error:
            return error


def _start(wish: Wish, plan: IngestPlan, found: Survey) -> None:
    number = found.selected if plan.again else found.new + found.changed
    figures = {"New": found.new, "Changed": found.changed, "There already": found.current}
    if found.outside:
        figures["Outside the image roots"] = found.outside
    panels.details({name: f"{value:,}" for name, value in figures.items()}, alt="What a look at the pictures found")
    where = "which will be made" if plan.creates else "which exists"
    st.markdown(
        f"{words.count(number, 'picture')} would be embedded by **{words.plain(plan.model)}** into "
        f"**{words.plain(plan.collection)}**, {where}."
    )
    if found.outside:
        more = [f"and {found.outside - len(found.named):,} more"] if found.outside > len(found.named) else []
        st.caption("Refused one by one, because they lie outside the image roots:")
        st.code("\n".join([*found.named, *more]), language=None, wrap_lines=True)
    pressed = command_button(
        "Ingest", "ingest", key="ingest-start", kind="primary", icon=":material/play_arrow:", disabled=not number
    )
    if pressed:
        run: Run | None = session.act("ingest", wish=wish, done=f"The pictures are being put into {plan.collection}.")
        st.session_state.pop(_LOOKED_AT, None)
        if run is not None:
            navigation.go("runs", run=run.id)
        st.rerun()
