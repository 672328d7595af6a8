"""Lists with addresses in them: what is in an image root is ingested, and the rest is refused by name, one by one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from console_core.cli.app import app
from console_core.cli.ingesting import finish_ingestion
from console_core.commands import command
from console_core.console import Console
from console_core.errors import CatalogInvalid, Refused
from console_core.migration.breaker import LIMIT
from console_core.migration.ingest import survey
from console_core.migration.ingesting import Wish
from console_core.runs.types import Run, RunState
from console_core.settings import FILE
from tests.conftest import OPERATOR, finish
from tests.lifecycle.workspaces import opened
from tests.picture_server import PictureServer, serving


@pytest.fixture(name="pictures")
def _pictures(workspace: Path) -> Iterator[PictureServer]:
    with serving() as server:
        for number in (1, 2):
            server.pictures[f"/shop/{number}.jpg"] = (workspace / "images" / f"{number:04}.jpg").read_bytes()
        yield server


@pytest.fixture(name="console")
def _console(workspace: Path, pictures: PictureServer) -> Iterator[Console]:
    file = workspace / FILE
    file.write_text(file.read_text().replace("[images]", f'[images]\nalso = ["{pictures.url}/shop/"]'))
    with opened(workspace) as console:
        yield console


def ingest(console: Console, path: Path) -> Run:
    return finish(console, command(console, OPERATOR, "ingest", wish=Wish(path, "photos", model="demo-clip")))


def test_a_list_of_paths_and_addresses_is_ingested_and_what_lies_outside_is_refused_by_name(
    console: Console, pictures: PictureServer
) -> None:
    file = console.settings.image_roots[0] / "mixed.csv"
    outside = [f"http://elsewhere.example/{number:03}.jpg" for number in range(LIMIT + 20)]
    outside += [f"{pictures.url}/other/1.jpg", "file:///etc/hostname", "/etc/hostname"]
    inside = ["0003.jpg,cat", f"{pictures.url}/shop/1.jpg,dog", f"{pictures.url}/shop/./2.jpg"]
    file.write_text("\n".join([*outside, *inside]))

    ingesting = console.ingesting()
    plan = ingesting.plan(Wish(file, "photos", model="demo-clip"))
    found = survey(plan, ingesting.catalog(plan), console.store)
    assert (found.new, found.changed, found.outside) == (3, 0, len(outside))
    assert "/etc/hostname" in found.named
    assert pictures.asked == [], "a look asks no server"

    run = ingest(console, file)
    assert run.state is RunState.SUCCEEDED, run.reason
    assert (run.counts.done, run.counts.failed) == (3, {"forbidden": len(outside)})
    failures = {failure.path: failure.message for failure in console.ledger.failures(run.id, limit=1000)}
    assert set(failures) == set(outside)
    assert all(path in message and "outside" in message for path, message in failures.items())
    assert {one.path for one in pictures.asked} == {"/shop/1.jpg", "/shop/2.jpg"}

    points = {point.payload["path"]: point.payload["label"] for point in console.store.scroll("photos")}
    assert points == {"0003.jpg": "cat", f"{pictures.url}/shop/1.jpg": "dog", f"{pictures.url}/shop/2.jpg": ""}
    (row,) = console.rows([f"ingest:default:{pictures.url}/shop/2.jpg"])
    assert console.thumbnails.get(row, 64).data
    again = ingest(console, file)
    assert (again.counts.done, again.counts.skipped) == (0, {"already embedded": 3})


def test_a_list_whose_addresses_all_lie_outside_is_refused_with_the_line_to_write(
    console: Console, pictures: PictureServer
) -> None:
    file = console.settings.image_roots[0] / "elsewhere.csv"
    file.write_text(f"{pictures.url}/other/1.jpg?key=secret\n")
    with pytest.raises(Refused, match="outside the image roots") as refused:
        ingest(console, file)
    assert f'also = ["{pictures.url}/other/"]' in refused.value.remedy
    assert f"{pictures.url}/shop/" in refused.value.message
    assert "secret" not in str(refused.value)


def test_neither_a_password_nor_a_signature_in_a_list_is_told(
    console: Console, pictures: PictureServer, capsys: pytest.CaptureFixture[str]
) -> None:
    file = console.settings.image_roots[0] / "signed.csv"
    file.write_text(f"{pictures.url.replace('//', '//user:s3cret@')}/shop/1.jpg?sig=s3cret\n")
    with pytest.raises(CatalogInvalid, match=r"Line 1 of .* a user's name or a password") as refused:
        ingest(console, file)
    assert console.ledger.runs() == []
    told = [str(refused.value), refused.value.remedy, *(entry.detail for entry in console.ledger.journal())]

    pictures.pictures["/shop/broken.jpg"] = (console.settings.image_roots[0] / "0001.jpg").read_bytes()[:400]
    file.write_text(f"{pictures.url}/shop/broken.jpg?sig=s3cret\n{pictures.url}/shop/none.jpg?sig=s3cret\n")
    with pytest.raises(typer.Exit):
        finish_ingestion(console, ingest(console, file), as_json=False)
    told += [failure.message for failure in console.failed.all("photos")]
    told += [capsys.readouterr().out]
    console.close()
    told += [CliRunner().invoke(app, ["--workspace", str(console.settings.workspace), "failures", "photos"]).output]
    assert told[-1].count(f"ingest:default:{pictures.url}/shop/") == 2
    assert told[-2].count("jpg?…") >= 2
    assert "s3cret" not in "\n".join(told)
