"""What the visitor's role allows: buttons of commands that it does not allow are shown, but cannot be pressed."""

from typing import Literal

import streamlit as st

from console_core.commands import COMMANDS
from console_core.settings import reaches
from console_core.ui import session


def denied(command: str) -> str:
    """Why the visitor may not give this command, for the button's help; "" where they may."""
    role, needed = session.actor().role, COMMANDS[command].role
    if reaches(role, needed):
        return ""
    return f"This needs the role {needed}; yours is {role}."


def command_button(
    label: str,
    command: str,
    *,
    key: str,
    icon: str = "",
    kind: Literal["primary", "secondary", "tertiary"] = "secondary",
    disabled: bool = False,
    help: str = "",
) -> bool:
    """A button of a command, greyed out with the reason where the role is too low; True when it was pressed.

    The command checks the role again: what a browser sends proves nothing.
    """
    reason = denied(command)
    return st.button(
        label, key=key, icon=icon or None, type=kind, disabled=disabled or bool(reason), help=reason or help or None
    )
