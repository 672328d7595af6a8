"""The journal: who did what, when, and with what outcome."""

from console_core.ui.activity.journal import journal
from console_core.ui.frame import page

with page("Activity", lead="Who did what, when, and what came of it. Nothing is ever removed from this list."):
    journal()
