"""Imports that would otherwise cost the first visitor two seconds."""


def warm_up() -> None:
    """Import what tables and charts need. Takes 2 to 3 s on a cold disk."""
    import pandas
    import plotly.graph_objects
    import pyarrow

    del pandas, plotly, pyarrow
