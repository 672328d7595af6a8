"""README.md and ARCHITECTURE.md are held to what they claim."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from console_core import errors, settings
from console_core.cli.app import app
from console_core.runs.types import RunState

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def _commands() -> set[str]:
    return set(getattr(get_command(app), "commands"))  # noqa: B009


def test_the_readme_lists_every_command_of_the_command_line_and_no_other() -> None:
    table = README.split("## The command line")[1].split("\n## ")[0]
    assert {row.split()[0] for row in re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)} == _commands()


def test_the_readme_lists_every_environment_variable_and_no_other() -> None:
    named = set(re.findall(r"^\| `(CONSOLE_[A-Z_]+)`", README, re.MULTILINE))
    read = set(re.findall(r"^(CONSOLE_[A-Z_]+)", settings.__doc__ or "", re.MULTILINE))
    files = Path(settings.__file__).parent.glob("*.py")
    used = {name for file in files for name in re.findall(r'"(CONSOLE_[A-Z_]+)"', file.read_text())}
    assert named == read == used


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", README)) <= targets


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README + ARCHITECTURE))))
def test_every_linked_file_exists(link: str) -> None:
    assert (ROOT / link).is_file()


def test_the_example_configuration_is_one_that_the_console_reads(tmp_path: Path) -> None:
    example = README.split("```toml")[1].split("```")[0]
    (tmp_path / settings.FILE).write_text(example)
    read = settings.read(tmp_path, {"SEARCH_TOKEN": "a" * 32})
    assert read.store.url == "grpc://qdrant.internal:6334"
    assert read.catalog.kind == "sql"
    assert read.models[0].key == "house-model"


def test_the_architecture_draws_the_layers_that_are_enforced() -> None:
    (contract,) = (c for c in PROJECT["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    drawn = re.search(r"`(ui → [^`]+)`", ARCHITECTURE)
    assert drawn is not None
    assert re.sub(r"\s+", " ", drawn[1]).split(" → ") == contract["layers"]


def test_the_architecture_names_every_room() -> None:
    rooms = {path.name for path in (ROOT / "console_core").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {room for room in rooms if f"{room}/" not in ARCHITECTURE} == set()


def test_the_architecture_names_every_run_state() -> None:
    assert {state for state in RunState if f"`{state}`" not in ARCHITECTURE} == set()


def test_the_error_tree_is_drawn_as_it_is() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    defined = {name for name, kind in vars(errors).items() if isinstance(kind, type)} - {"ConsoleError"}
    assert drawn == defined
