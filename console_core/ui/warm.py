"""Imports that would otherwise cost the first visitor two seconds."""

from importlib import import_module


def warm_up() -> None:
    """Import what tables and charts need. Takes 2 to 3 s on a cold disk."""
    for name in ("pandas", "pyarrow", "plotly.graph_objects"):
        import_module(name)
