"""Short how-tos of docs/, whose commands are run as they stand there."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from typer.testing import CliRunner, Result

from console_core.cli.app import app

DOCS = Path(__file__).resolve().parents[1] / "docs"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(document: str, language: str, instead: Mapping[str, str] | None = None) -> list[str]:
    """The fenced blocks of a document in one language, with some words replaced."""
    text = (DOCS / document).read_text()
    for word, other in (instead or {}).items():
        assert word in text, f"{document} does not say {word} any more"
        text = text.replace(word, other)
    return [body for found, body in _FENCE.findall(text) if found == language]


def commands(document: str, instead: Mapping[str, str] | None = None) -> list[list[str]]:
    """The commands of a document, each as its words behind `embedding-console`."""
    lines = [line for block in blocks(document, "sh", instead) for line in block.replace("\\\n", " ").splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    return [line[1:] for line in words if line[:1] == ["embedding-console"]]


def run(workspace: Path, *words: str) -> Result:
    """The outcome of a command in a workspace."""
    return CliRunner().invoke(app, ["--workspace", str(workspace), *words])


def done(workspace: Path, *words: str) -> Result:
    """The same, of one that must have done what was asked for."""
    found = run(workspace, *words)
    assert found.exit_code == 0, f"{' '.join(words)}: {found.output}"
    return found
