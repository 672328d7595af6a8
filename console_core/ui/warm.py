"""What would otherwise cost the first visitor two seconds, and every visitor a little."""

from importlib import import_module

from console_core.ui.theme_message import compose_once


def warm_up() -> None:
    """Import what tables and charts need. Takes 2 to 3 s on a cold disk."""
    for name in ("pandas", "pyarrow", "plotly.graph_objects"):
        import_module(name)
    compose_once()
