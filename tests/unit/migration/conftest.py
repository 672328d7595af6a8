"""The filled workspace, made once and copied for each test, with models that are loaded once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from console_core import settings
from console_core.console import Console, open_console
from console_core.embedding.loaded import Models
from tests.conftest import fill, make_workspace


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Models]:
    folder = make_workspace(tmp_path_factory.mktemp("filled") / "workspace")
    console = open_console(settings.read(folder, {}), owner_name="a test")
    fill(console, "images__demo-clip", "demo-clip", alias="images")
    console.close()
    return folder, console.models


@pytest.fixture
def console(filled: tuple[Path, Models], tmp_path: Path) -> Iterator[Console]:
    """An open console without a worker; the alias `images` serves a collection made by demo-clip."""
    folder, models = filled
    workspace = Path(shutil.copytree(folder, tmp_path / "workspace"))
    opened = open_console(settings.read(workspace, {}), owner_name="a test")
    opened.models = models
    try:
        yield opened
    finally:
        opened.close()
