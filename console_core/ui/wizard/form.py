"""The wizard: its four steps, one after the other, on one page."""

from dataclasses import replace

from console_core.ui import session
from console_core.ui.wizard.draft import Draft
from console_core.ui.wizard.further import choose_further
from console_core.ui.wizard.importing import import_settings
from console_core.ui.wizard.introduction import reminder
from console_core.ui.wizard.model import TITLE, choose_model
from console_core.ui.wizard.pictures import choose_pictures
from console_core.ui.wizard.preflight import check_and_start
from console_core.ui.wizard.source import choices, choose_source
from console_core.ui.wizard.steps import coming_step
from console_core.ui.wizard.way import choose_way, chosen_in_place


def wizard() -> None:
    """Draw the step at which the draft of the address is, and those before it."""
    draft = Draft.read()
    collections = session.console().store.collections()
    served = choose_source(draft, choices(collections))
    if served is None:
        _to_come(TITLE, "Pictures", "Preflight", first=2)
        return
    if not served.alias and not draft.in_place:
        taken = {info.name for info in collections}.union(*(info.aliases for info in collections))
        choose_way(draft, served.name, taken)
        _to_come(TITLE, "Pictures", "Preflight", first=2)
        return
    if served.alias:
        reminder(served.alias)
    else:
        chosen_in_place(draft, served.name)
    stamp = served.collection.stamp
    import_settings(draft, served.collection)
    card = choose_model(draft, stamp.model if stamp else "")
    if card is None:
        _to_come("Pictures", "Preflight", first=3)
        return
    further = choose_further(draft, card)
    choose_pictures(draft, served.collection, card)
    check_and_start(replace(draft, also=tuple(one.key for one in further)), [card, *further])


def _to_come(*titles: str, first: int) -> None:
    for number, title in enumerate(titles, start=first):
        coming_step(number, title)
