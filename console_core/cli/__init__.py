"""The same core without a screen: `embedding-console [--workspace DIR] COMMAND`.

Every command prints for people, or with `--json` one JSON document on standard output; progress goes to standard
error. The exit code is 0 only where what was asked for was done.
"""

from console_core.cli.app import main

__all__ = ["main"]
