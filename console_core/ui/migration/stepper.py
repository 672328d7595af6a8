"""The steps of a migration in a row: what is done, what is now, what is to come. One browser element."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import streamlit as st

from console_core.ui.migration.stages import Step

_HERE = Path(__file__).parent
_element = st.components.v2.component(
    "embedding_console_stepper",
    html="<ol></ol>",
    css=(_HERE / "stepper.css").read_text("utf-8"),
    js=(_HERE / "stepper.js").read_text("utf-8"),
)


def stepper(steps: Sequence[Step], *, key: str) -> None:
    """Draw the steps."""
    _element(key=key, data={"steps": [asdict(step) for step in steps]})
