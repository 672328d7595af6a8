"""The server of the console: `streamlit run app.py` or `embedding-console serve`."""

import sys
from pathlib import Path

import streamlit as st

from console_core.ui.frame import on_script_error
from console_core.ui.warm import warm_up
from console_core.web.guard import MIDDLEWARE
from console_core.web.lifespan import lifespan
from console_core.web.routes import ROUTES

SHELL = Path(__file__).resolve().parent / "console_core" / "ui" / "shell.py"
# Streamlit puts a script's folder into sys.path while it runs, and takes it out again: a thread that looks for a module
# meanwhile may miss it, and a run would fail. Where the folder is already, it does neither.
if str(SHELL.parent) not in sys.path:
    sys.path.append(str(SHELL.parent))
app = st.App(SHELL, lifespan=lifespan(warm_up), routes=ROUTES, middleware=MIDDLEWARE, on_script_error=on_script_error)
