"""What is known of a collection's encoder, as a badge says it, and the button that has it checked."""

from contextlib import suppress
from dataclasses import dataclass

from console_core.errors import StoreError
from console_core.querylab.encoder_check import KIND
from console_core.querylab.encoder_standing import Standing, standing
from console_core.runs.types import ACTIVE, Run
from console_core.ui import session, words
from console_core.ui.permission import command_button

CHECKED = words.Word("Encoder checked", "green", ":material/verified:")
FAULTY = words.Word("Encoder faulty", "red", ":material/report:")
STALE = words.Word("Encoder check out of date", "orange", ":material/history:")
UNCHECKED = words.Word("Encoder not checked", "gray", ":material/help:")


@dataclass(frozen=True, slots=True)
class Encoder:
    """What is known of a column's encoder. `under_way` is a check that waits or is at work, `newest` the last one that
    was begun, however it ended."""

    collection: str
    title: str
    standing: Standing | None
    newest: Run | None

    @property
    def under_way(self) -> Run | None:
        return self.newest if self.newest is not None and self.newest.state in ACTIVE else None

    @property
    def word(self) -> words.Word:
        """A fault that was found stays one until it is looked for again: a write mends none."""
        if self.standing is None:
            return UNCHECKED
        if not self.standing.report.is_green:
            return FAULTY
        return STALE if self.standing.stale else CHECKED


def encoder_of(collection: str, title: str) -> Encoder:
    """Of a collection by its real name."""
    opened = session.console()
    newest = opened.ledger.runs(kinds=(KIND,), target=collection, limit=1)
    known = None
    with suppress(StoreError):  # whoever asks the collection is told so
        known = standing(opened.store, opened.ledger, opened.models, collection)
    return Encoder(collection, title, known, newest[0] if newest else None)


def check_button(encoder: Encoder, *, key: str, primary: bool = False) -> bool:
    """Begins a check; True when it was pressed."""
    label = "Check the encoder" if encoder.standing is None else "Check it again"
    pressed = command_button(
        label,
        "check_encoder",
        key=key,
        icon=":material/fact_check:",
        kind="primary" if primary else "secondary",
    )
    if pressed:
        session.act("check_encoder", collection=encoder.collection, done="The check is begun.")
    return pressed
