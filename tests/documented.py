"""Commands as documents have them, in blocks that begin with ```sh, and a way to run them as a reader would."""

import os
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from console_core.cli.app import app
from tests.how_to import blocks


@dataclass(frozen=True, slots=True)
class Ran:
    """A command, and what came of it."""

    command: str
    code: int
    output: str


def commands(document: Path) -> list[str]:
    """The commands of a document in their order; lines that go on (a backslash, a pipe) are one command."""
    found: list[str] = []
    for block in blocks(document.name, "sh"):
        going_on = False
        for line in block.splitlines():
            if going_on:
                found[-1] += f"\n{line}"
            elif line.strip():
                found.append(line)
            going_on = line.rstrip().endswith(("\\", "|"))
    return found


def run(document: Path, folder: Path, *, replace: tuple[str, str] = ("", "")) -> Iterator[Ran]:
    """Run a document's commands in a folder: those of the command line in this process, others by bash.

    The former text of `replace` is the latter in all of them. `export` changes this
    process's environment, and its folder is changed too.
    """
    os.chdir(folder)
    os.environ["PWD"] = str(folder)
    for command in commands(document):
        told = command.replace(*replace) if replace[0] else command
        words = shlex.split(told) if told.startswith(("embedding-console", "export")) else []
        if words[:1] == ["embedding-console"]:
            result = CliRunner().invoke(app, words[1:])
            yield Ran(command, result.exit_code, result.output)
        elif words[:1] == ["export"]:
            name, _, value = os.path.expandvars(words[1]).partition("=")
            os.environ[name] = value
            yield Ran(command, 0, "")
        else:
            ended = subprocess.run(["bash", "-c", told], capture_output=True, text=True, check=False, timeout=60)
            yield Ran(command, ended.returncode, ended.stdout + ended.stderr)
