"""One collection: what it is, how it is stored, and what can be done next."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from console_core.embedding.types import ModelCard
from console_core.errors import ModelError
from console_core.migration.findings import Finding
from console_core.rollout.records import Move
from console_core.ui import navigation, panels, session, words
from console_core.ui.collections.concerns import concerns, contradicts
from console_core.ui.collections.duplicates import SHOW
from console_core.ui.collections.ingested import ingested
from console_core.ui.collections.introduction import introduce_alias
from console_core.ui.collections.losses import losses_card
from console_core.ui.collections.points import points_page
from console_core.ui.collections.stamping import record_model
from console_core.ui.collections.store import limits
from console_core.ui.collections.table import UNKNOWN, model_of
from console_core.ui.in_step import in_step
from console_core.ui.live_table import COLOURS, STATUS
from console_core.ui.panels import Marked
from console_core.ui.retiring import retiring, unfinished_retirement
from console_core.ui.tuning import in_force
from console_core.ui.verification.card import verification_card
from console_core.vectorstore.tuning import settings_of
from console_core.vectorstore.types import CollectionInfo


def collection_detail(info: CollectionInfo) -> None:
    """Everything about a collection, and a page of its points."""
    card = card_of(info)
    found = list(concerns(info, card, _last_moves(info)))
    if found:
        with panels.card("What to know about it"):
            panels.findings(found)
    if not info.stamp or not info.stamp.model or contradicts(info, card):
        record_model(info)
    if not info.aliases:
        introduce_alias(info)
    if session.console().follows.of(info.name) is not None:
        with panels.card("In step with the catalog", key="in-step"):
            in_step(info.name, key="collection")
    verification_card(info)
    left, right = st.columns(2)
    with left, panels.card("What it holds", key="collection-facts"):
        _facts(info, card)
    with right, panels.card("How it is stored", key="collection-storage"):
        _storage(info)
    ingested(info.name)
    losses_card(info)
    points_page(info)
    with st.expander(
        "Retire this collection", icon=":material/delete_forever:", key="retire", on_change="rerun"
    ) as box:
        if box.open or unfinished_retirement(info.name):
            retiring(info.name)


def blocking(collections: Sequence[CollectionInfo]) -> list[Finding]:
    """What is wrong with any of the collections, each naming the one that it is about."""
    found = [(info, one) for info in collections for one in concerns(info, card_of(info), ())]
    return [replace(one, message=f"{info.name}: {one.message}") for info, one in found if one.severity == "block"]


def next_steps(info: CollectionInfo) -> None:
    """Where to go from a collection: from an empty one that was prepared, to the migration that fills it. Where nothing
    says its model, recording that comes first."""
    navigation.link("coverage", "Coverage", collection=info.name)
    if info.points and info.distance == "cosine":
        navigation.link("collections", "Duplicates", icon=":material/content_copy:", collection=info.name, show=SHOW)
    if info.stamp and not info.points and not info.aliases:
        if st.button("Fill it by a migration", icon=":material/add:", key="fill", type="primary"):
            navigation.go("migrations", view="new", model=info.stamp.model, target=info.name)
        return
    served = info.aliases[0] if info.aliases else info.name
    if st.button("New migration", icon=":material/add:", type="primary" if info.stamp else "secondary", shortcut="N"):
        navigation.go("migrations", view="new", served=served)


def card_of(info: CollectionInfo) -> ModelCard | None:
    """The card of the recorded model; None where none is recorded, or it is not known here."""
    if not info.stamp or not info.stamp.model:
        return None
    try:
        return session.console().models.cards.get(info.stamp.model)
    except ModelError:
        return None


def _last_moves(info: CollectionInfo) -> list[Move]:
    return [move for alias in info.aliases for move in session.console().moves.of(alias, limit=1)]


def _facts(info: CollectionInfo, card: ModelCard | None) -> None:
    status = STATUS.get(info.status, info.status)
    model = model_of(info)
    title = f"{words.plain(card.title)} ({words.plain(model)})" if card else words.plain(model)
    facts: dict[str, object] = {
        "Points": f"{info.points:,}",
        "Vectors": f"{info.dimension:,} numbers, {info.distance} distance",
        "Model": Marked(title if model != UNKNOWN else f":orange-badge[{UNKNOWN}]"),
        "Fingerprint": Marked(f"`{info.stamp.fingerprint}`") if info.stamp else "not recorded",
        "Decoding mode": (info.stamp.preprocess if info.stamp else "") or "not recorded",
        "Served as": Marked(" ".join(f":blue-badge[{words.plain(alias)}]" for alias in info.aliases) or "no alias"),
        "Status": Marked(f":{COLOURS.get(status, 'gray')}-badge[{words.plain(status)}]"),
        "Payload fields": ", ".join(info.payload_fields) or "none",
    }
    if info.vector_name:
        facts["Name of the vector"] = info.vector_name
    panels.details(facts, alt=f"What {info.name} holds")


def _storage(info: CollectionInfo) -> None:
    store = session.console().store.info()
    facts: dict[str, object] = {"Store": store.kind, **in_force(info, store, settings_of(info))}
    if store.capacity:
        facts["Room"] = f"{info.points:,} of {store.capacity:,} points"
    panels.details(facts, alt=f"How {info.name} is stored")
    if store.limits:
        limits(store.limits)
