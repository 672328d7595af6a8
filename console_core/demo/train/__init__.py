"""Train the demo models anew. See `console_core/demo/train/__main__.py`."""
