"""A migration from the first click to the way back, on real pictures and models, with a running worker."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console_core import settings
from console_core.catalog.opening import open_catalog
from console_core.commands import command
from console_core.console import Console, open_console
from console_core.embedding.preprocessing import Mode
from console_core.embedding.registry import ModelCards
from console_core.migration.findings import Request
from console_core.migration.plan import MigrationPlan
from console_core.migration.records import Stage, standing
from console_core.runs.types import Lane, RunState
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from console_core.web import process
from tests.conftest import OPERATOR, PICTURES, fill, finish, make_workspace, migrate

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]


@pytest.fixture(name="template", scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two workspaces to copy: `filled`, and `verified` with a migration that is built and verified."""
    folder = tmp_path_factory.mktemp("workspaces")
    with _opened(make_workspace(folder / "filled")) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
    shutil.copytree(folder / "filled", folder / "verified")
    with _opened(folder / "verified") as console:
        build = migrate(console)
        assert finish(console, command(console, OPERATOR, "verify", collection=build.target)).result is not None
    return folder


@contextmanager
def _opened(workspace: Path) -> Iterator[Console]:
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    try:
        yield console
    finally:
        console.close()


@pytest.fixture(name="small")
def _small(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """The process's Console with a worker; the alias `images` serves a collection that demo-clip made."""
    yield from _served(shutil.copytree(template / "filled", tmp_path / "small"), monkeypatch)


@pytest.fixture(name="verified")
def _verified(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """The same, with a migration to demo-siglip that is built and verified."""
    yield from _served(shutil.copytree(template / "verified", tmp_path / "verified"), monkeypatch)


def _served(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(workspace))
    monkeypatch.setenv("CONSOLE_ACTOR", "olga")
    process.stop()
    process.start()
    yield process.console()
    process.stop()


def _keys(page: AppTest) -> set[str]:
    return {str(button.key) for button in page.button if not button.disabled}


def _primary(page: AppTest) -> list[str]:
    return [button.label for button in page.button if button.proto.type == "primary"]


def _until(page: AppTest, key: str) -> AppTest:
    """Look again, as the page does by itself, until there is a button with this key."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        page.run()
        if key in _keys(page):
            return page
        time.sleep(0.1)
    raise AssertionError(f"no button {key} after a minute: {sorted(_keys(page))}")


def _facts(page: AppTest) -> dict[str, str]:
    """Names and values of all tables of two columns, as plain text."""
    tables = [table.value for table in page.table if len(table.value.columns) == 1]
    return {
        str(name).replace("\\", ""): str(row.iloc[0]).replace("\\", "")
        for table in tables
        for name, row in table.iterrows()
    }


def _stage(console: Console) -> Stage:
    return standing(console.migrations.all()[0], console.ledger, console.store.aliases()).stage


def _journey_to_the_preflight(page: AppTest) -> AppTest:
    page.button(key="served-images").click().run()
    return page.button(key="model-demo-siglip").click().run()


def test_filling_the_gaps_of_what_is_live_says_so_and_counts_only_the_gaps(
    small: Console, open_page: OpenPage, said: Said
) -> None:
    with closing(sqlite3.connect(small.settings.workspace / "catalog.db")) as connection:
        connection.execute("INSERT INTO images VALUES (49, 'user-1', NULL, '0001.jpg', 'new')")
        connection.commit()
    page = open_page("migrations", view="new", served="images", model="demo-clip", target="images__demo-clip")
    assert not page.exception
    assert {metric.label: metric.value for metric in page.metric}["Pictures to embed"] == "1"
    told = said(page).replace("\\", "")
    assert "Adds what **images__demo-clip** lacks: 1 picture; the others are skipped." in told
    assert "images__demo-clip is live: new points are found by searches as soon as they are written." in told
    assert "Nothing blocks; mind the warnings." in told
    for untruth in ("beside what", "Searches go on unchanged", "the new collection", "Nothing stands in the way"):
        assert untruth not in told
    assert _primary(page) == ["Fill the gaps"]
    page.button(key="start").click().run()
    (build,) = small.ledger.runs(kinds=("reembed",))
    deadline = time.monotonic() + 30
    while small.ledger.get(build.id).state is not RunState.SUCCEEDED:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert small.ledger.get(build.id).reason == "1 of 49 pictures embedded, 48 skipped."


def test_clicks_alone_lead_from_an_empty_list_over_build_and_verification_to_the_cut_over_and_back(
    small: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("migrations")
    assert "No migrations yet" in said(page)
    page.button(key="new").click().run()
    page = _journey_to_the_preflight(page)
    assert not page.exception
    assert page.query_params["served"] == "images"
    assert {metric.label: metric.value for metric in page.metric}["Pictures to embed"] == str(PICTURES)
    assert "images\\_\\_demo\\-siglip" in said(page)
    assert _primary(page) == ["Start building"]

    page.button(key="start").click().run()
    assert page.query_params == {"migration": small.migrations.all()[0].id}
    page = _until(page, "verify")
    assert _primary(page) == ["Verify"]
    assert {metric.label: metric.value for metric in page.metric}["Embedded"] == str(PICTURES)
    page.button(key="verify").click().run()

    cut_over = "cut-over-images-images__demo-siglip"
    page = _until(page, cut_over)
    assert _primary(page) == ["Cut over"]
    checks = page.table[0].value
    assert len(checks) == 9
    assert all("OK" in outcome for outcome in checks["Outcome"])
    assert "instead of **images\\_\\_demo\\-clip**. Nothing is deleted; you can roll back." in said(page)
    page.button(key=cut_over).click().run()
    assert small.store.aliases() == {"images": "images__demo-clip"}
    page.button(key="confirm-do").click().run()
    assert small.store.aliases() == {"images": "images__demo-siglip"}
    assert _stage(small) is Stage.LIVE

    assert _primary(page) == [], "the way back is offered, not recommended"
    page.button(key="roll-back-images").click().run()
    page.button(key="confirm-do").click().run()
    assert small.store.aliases() == {"images": "images__demo-clip"}
    assert small.store.count("images__demo-siglip") == PICTURES
    assert "olga rolled images back" in " ".join(info.value for info in page.info)
    acted = list(page.dataframe[-1].value["What"])
    assert acted == ["roll back", "cut over", "verify", "start migration"]


def test_the_draft_is_in_the_address_and_survives_a_new_visit(small: Console, open_page: OpenPage, said: Said) -> None:
    chosen = {"view": "new", "served": "images", "model": "demo-siglip", "only.user_id": "user-1", "batch": "16"}
    page = open_page("migrations", **chosen)
    assert not page.exception
    assert {metric.label: metric.value for metric in page.metric}["Pictures to embed"] == "16"
    assert page.multiselect(key="only-user_id").value == ["user-1"]
    assert page.number_input(key="wizard-batch").value == 16
    page.multiselect(key="only-user_id").set_value(["user-1", "user-2"]).run()
    assert page.query_params["only.user_id"] == ["user-1", "user-2"]
    assert {metric.label: metric.value for metric in page.metric}["Pictures to embed"] == "32"
    assert "Only 32 of 48 pictures are selected" in said(page)
    page.segmented_control(key="wizard-part").set_value("Everything").run()
    assert "only.user_id" not in page.query_params
    assert {metric.label: metric.value for metric in page.metric}["Pictures to embed"] == "48"


def test_the_mode_is_chosen_in_the_wizard_and_shown_wherever_the_build_is(
    small: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("migrations", view="new", served="images", model="demo-siglip", mode="nonsense")
    choice = page.radio(key="wizard-mode")
    assert (choice.value, "mode" in page.query_params) == (Mode.FAST, True)
    assert {metric.label for metric in page.metric} >= {"Cosine with exact mode"}
    choice.set_value(Mode.EXACT).run()
    assert page.query_params["mode"] == "exact"
    assert "Cosine with exact mode" not in {metric.label for metric in page.metric}
    page.radio(key="wizard-mode").set_value(Mode.FAST).run()
    assert "mode" not in page.query_params
    page.radio(key="wizard-mode").set_value(Mode.TURBO).run()
    page.button(key="start").click().run()
    page = _until(page, "verify")
    assert "Decoded in turbo mode: 48 by libjpeg-turbo." in said(page).replace("\\", "")
    (run,) = small.ledger.runs(kinds=("reembed",))
    assert MigrationPlan.from_json(run.spec).mode is Mode.TURBO
    assert _facts(page)["Decoding mode"] == "turbo"
    facts = _facts(open_page("runs", run=run.id))
    assert facts["Decoding mode"] == "turbo"
    assert facts["Pictures decoded"] == "48 by libjpeg-turbo"
    assert _facts(open_page("collections", collection=run.target))["Decoding mode"] == "turbo"
    assert _facts(open_page("collections", collection="images__demo-clip"))["Decoding mode"] == "not recorded"


def test_another_mode_than_the_one_that_a_target_was_built_in_is_changed_on_the_spot(
    small: Console, open_page: OpenPage, said: Said
) -> None:
    digest = small.models.get("demo-siglip").fingerprint.digest
    small.store.create("begun", CollectionSpec(192, stamp=ModelStamp("demo-siglip", digest, "turbo")))
    page = open_page("migrations", view="new", served="images", model="demo-siglip", target="begun")
    assert "begun was built in turbo mode" in said(page)
    page.button(key="take-turbo").click().run()
    assert page.query_params["mode"] == "turbo"
    assert "was built in turbo mode" not in said(page)


def test_the_values_of_facets_are_counted_once_and_only_for_who_chooses_a_part(
    small: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = small.catalog.facets
    asked: list[str] = []

    def facets() -> Mapping[str, Mapping[str, int]]:
        asked.append("all pictures")
        return count()

    monkeypatch.setattr(small.catalog, "facets", facets)
    page = open_page("migrations", view="new", served="images", model="demo-siglip")
    assert not page.exception
    assert not asked
    page.segmented_control(key="wizard-part").set_value("Only a part").run()
    page.multiselect(key="only-user_id").set_value(["user-1"]).run()
    assert page.query_params["only.user_id"] == "user-1"
    assert page.multiselect(key="only-user_id").options[:3] == ["user-0 (16)", "user-1 (16)", "user-2 (16)"]
    assert asked == ["all pictures"]


def test_a_collection_searched_by_its_own_name_gets_an_alias_in_place_and_the_wizard_goes_on_with_it(
    small: Console, open_page: OpenPage, said: Said
) -> None:
    fill(small, "products", "demo-clip")
    page = open_page("migrations", view="new")
    page.button(key="served-products").click().run()
    assert "a store refuses an alias that bears a collection's name" in said(page)
    name = page.text_input(key="alias-name")
    assert name.value == "products-live"
    name.set_value("images").run()
    assert page.button(key="introduce-alias").disabled
    page.text_input(key="alias-name").set_value("shop").run()
    page.button(key="introduce-alias").click().run()
    assert small.store.aliases()["shop"] == "products"
    assert page.query_params["served"] == "shop"
    assert '+ client.query_points("shop", …)' in page.code[0].value
    page.button(key="model-demo-siglip").click().run()
    assert not page.button(key="start").disabled


def test_a_preflight_that_blocks_leaves_nothing_to_start(small: Console, open_page: OpenPage, said: Said) -> None:
    chosen = {"served": "images", "model": "demo-siglip", "only.user_id": "nobody"}
    page = open_page("migrations", view="new", **chosen)
    assert "The catalog has no picture in this slice" in said(page)
    assert page.button(key="start").disabled
    assert small.migrations.all() == []


def test_a_source_that_vanished_is_named_and_another_can_be_chosen(small: Console, open_page: OpenPage) -> None:
    page = open_page("migrations", view="new", served="gone", model="demo-siglip")
    assert "There is no alias or collection gone any more" in page.warning[0].value
    assert "served-images" in _keys(page)


def test_a_viewer_sees_the_buttons_and_cannot_press_them(
    verified: Console, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = verified.ledger.submit(
        kind="verify", lane=Lane.STORE, title="Wait", target="x", spec={}, actor="me", selected=1, writes=False
    )
    monkeypatch.setattr(verified, "settings", replace(verified.settings, role="viewer"))
    for name, parameters, key in (
        ("migrations", {"view": "new", "served": "images", "model": "demo-clip"}, "start"),
        ("migrations", {"migration": verified.migrations.all()[0].id}, "cut-over-images-images__demo-siglip"),
        ("migrations", {"migration": verified.migrations.all()[0].id}, "share-images"),
        ("rollout", {}, "cut-over-images-images__demo-siglip"),
        ("runs", {}, f"cancel-{run.id}"),
    ):
        page = open_page(name, **parameters)
        assert not page.exception
        assert page.button(key=key).disabled, key
        assert "needs the role" in page.button(key=key).help


def test_a_collection_that_vanished_after_its_verification_is_explained(
    verified: Console, open_page: OpenPage, said: Said
) -> None:
    verified.store.drop("images__demo-siglip")
    page = open_page("migrations", migration=verified.migrations.all()[0].id)
    assert not page.exception
    assert not page.error
    assert "Somebody deleted the collection that was built" in said(page)
    page.button(key="again").click().run()
    assert page.query_params["model"] == "demo-siglip"


def test_a_migration_that_does_not_exist_is_a_panel_with_the_way_back(small: Console, open_page: OpenPage) -> None:
    page = open_page("migrations", migration="m-none")
    assert page.error[0].value == "Choose one from the Migrations page."
    page.button(key="all-migrations").click().run()
    assert not page.error


def test_the_gate_says_why_it_is_closed_and_a_new_verification_is_the_way(
    verified: Console, open_page: OpenPage, said: Said
) -> None:
    (point,) = verified.store.retrieve("images__demo-siglip", [1], vectors=True)
    verified.store.upsert("images__demo-siglip", [type(point)(999, point.vector, {})])
    page = open_page("migrations", migration=verified.migrations.all()[0].id)
    assert page.button(key="cut-over-images-images__demo-siglip").disabled
    assert "has 49 points, but 48 when it was verified" in said(page)
    assert _primary(page) == ["Verify again"]


def test_a_red_verification_shows_which_pictures_are_concerned(
    verified: Console, open_page: OpenPage, said: Said
) -> None:
    (point,) = verified.store.retrieve("images__demo-siglip", [3], vectors=True)
    assert point.vector is not None
    verified.store.upsert("images__demo-siglip", [type(point)(3, point.vector[::-1].copy(), {})])
    page = open_page("migrations", migration=verified.migrations.all()[0].id)
    page.button(key="verify").click().run()
    _settled(verified)
    page.run()
    assert "The verification did not pass" in said(page)
    outcomes = dict(zip(page.table[0].value["Check"], page.table[0].value["Outcome"], strict=True))
    assert "Red" in outcomes["Fingerprints"]
    assert "OK" in outcomes["Count"]
    (found,) = [table.value for table in page.dataframe if "What differs" in table.value]
    assert list(found["Picture"]) == ["3"]
    assert list(found["Kind"]) == [["Foreign"]]
    assert list(found["What differs"]) == ["It does not say which model made it."]
    assert "is red: fingerprints." in said(page).replace("\\", "")


def test_one_click_repairs_what_a_verification_found_and_the_new_verdict_opens_the_gate(
    verified: Console, open_page: OpenPage, said: Said
) -> None:
    target = "images__demo-siglip"
    (point,) = verified.store.retrieve(target, [3], vectors=True)
    assert point.vector is not None
    verified.store.upsert(target, [type(point)(3, point.vector[::-1].copy(), point.payload)])
    verified.store.upsert(target, [type(point)(4711, point.vector, {})])
    verified.store.delete(target, [5, 6])
    page = open_page("migrations", migration=verified.migrations.all()[0].id)
    page.button(key="verify-full").click().run()
    _settled(verified)
    page.run()
    (run,) = verified.ledger.runs(kinds=("verify",), limit=1)
    assert run.spec["full"]
    assert _primary(page) == ["Repair 4 differences"]
    chosen = page.segmented_control(key="difference-kind")
    assert chosen.options == ["All · 4", "Missing · 2", "Extra · 1", "Wrong vector · 1"]
    chosen.set_value("missing").run()
    assert page.query_params["difference"] == "missing"
    (found,) = [table.value for table in page.dataframe if "What differs" in table.value]
    assert list(found["Picture"]) == ["5", "6"]

    page.button(key=f"repair-{run.id}").click().run()
    assert "**3 pictures** will be embedded and written." in said(page)
    assert "**1 point** will be deleted" in said(page)
    page.button(key="confirm-do").click().run()
    page = _until(page, f"cut-over-images-{target}")
    assert "4 of 4 differences repaired. Then it was verified again." in said(page).replace("\\", "")
    assert verified.store.count(target) == PICTURES
    again = verified.ledger.runs(kinds=("verify",), limit=1)[0]
    assert again.spec["full"], "in the same mode"
    assert _primary(page) == ["Cut over"]
    page.button(key=f"cut-over-images-{target}").click().run()
    page.button(key="confirm-do").click().run()
    assert verified.store.aliases()["images"] == target


def test_a_write_that_no_cheap_look_sees_is_told_when_the_alias_would_be_moved(
    verified: Console, open_page: OpenPage, said: Said
) -> None:
    target = "images__demo-siglip"
    (point,) = verified.store.retrieve(target, [3], vectors=True)
    verified.store.upsert(target, [type(point)(3, point.vector, {**point.payload, "caption": "edited"})])
    page = open_page("migrations", migration=verified.migrations.all()[0].id)
    page.button(key=f"cut-over-images-{target}").click().run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert "was written to after it was verified" in " ".join(error.proto.title for error in page.error)
    assert verified.store.aliases()["images"] == "images__demo-clip"


def test_the_rollout_page_moves_the_alias_and_lists_every_move(verified: Console, open_page: OpenPage) -> None:
    page = open_page("rollout")
    page.button(key="cut-over-images-images__demo-siglip").click().run()
    page.button(key="confirm-do").click().run()
    assert verified.store.aliases()["images"] == "images__demo-siglip"
    page.button(key="roll-back-images").click().run()
    page.button(key="confirm-do").click().run()
    assert verified.store.aliases()["images"] == "images__demo-clip"
    assert [list(kinds) for kinds in page.dataframe[-1].value["What"]] == [["rolled back"], ["cut over"]]


def test_a_share_is_given_raised_and_ended_by_clicks_and_the_pages_and_the_journal_say_so(
    verified: Console, open_page: OpenPage, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = "images__demo-siglip"
    page = open_page("migrations", migration=verified.migrations.all()[0].id)
    told = said(page).replace("\\", "")
    assert "Nobody gets another collection than the alias serves." in told
    assert "It concerns only callers that say who they are" in told
    assert "the console has no token for programs" in told
    assert _primary(page) == ["Cut over"], "the share is offered, not recommended"
    page.button(key="share-images").click().run()
    assert "the same ones each time" in said(page)
    assert verified.shares.given() == []
    page.button(key="confirm-do").click().run()
    assert [(share.candidate, share.percent, share.actor) for share in verified.shares.given()] == [
        (target, 10, "olga")
    ]
    page.number_input(key="percent-images-10").set_value(5.0).run()
    page.button(key="share-images").click().run()
    assert [share.percent for share in verified.shares.given()] == [5], "less needs no question"
    assert list(page.dataframe[-1].value["What"])[:2] == ["share", "share"]

    blind = [replace(card, has_text=card.key != "demo-siglip") for card in verified.models.cards.all()]
    monkeypatch.setattr(verified.models, "cards", ModelCards(blind))
    page = open_page("rollout")
    told = said(page).replace("\\", "")
    assert f"of the callers with a key get **{target}**" in told
    assert f"{target} answers searches by picture only" in told
    assert [list(kinds) for kinds in page.dataframe[-1].value["What"]] == [["share"], ["share"]]
    page.button(key="end-share-images").click().run()
    assert verified.shares.given() == []
    assert list(page.dataframe[-1].value["Share"]) == ["0 %", "5 %", "10 %"]
    assert "end-share-images" not in _keys(page)


def test_a_share_whose_verdict_went_stale_stays_is_warned_about_and_cannot_be_raised(
    verified: Console, open_page: OpenPage, said: Said
) -> None:
    target = "images__demo-siglip"
    command(verified, OPERATOR, "share", alias="images", to=target, percent=10)
    (point,) = verified.store.retrieve(target, [1], vectors=True)
    verified.store.upsert(target, [type(point)(999, point.vector, {})])
    page = open_page("migrations", migration=verified.migrations.all()[0].id)
    assert "The share stays, and cannot be raised." in " ".join(warning.value for warning in page.warning)
    page.number_input(key="percent-images-10").set_value(50.0).run()
    assert "share-images" not in _keys(page)
    page.number_input(key="percent-images-10").set_value(5.0).run()
    assert "share-images" in _keys(page)
    assert "has 49 points, but 48 when it was verified" in said(open_page("rollout"))
    told = said(open_page("overview")).replace("\\", "")
    assert f"{target} answers 10 % of the traffic of images, and its verdict does not count any more." in told


def test_judging_opens_the_query_lab_with_both_collections(verified: Console, open_page: OpenPage) -> None:
    page = open_page("migrations", migration=verified.migrations.all()[0].id)
    page.button(key="judge").click().run()
    assert not page.exception
    assert page.title[0].value == "Query lab"
    assert page.query_params["columns"] == ["images__demo-clip", "images__demo-siglip"]


def test_a_paused_build_waits_for_its_resume_and_can_be_begun_again_once_cancelled(
    small: Console, open_page: OpenPage, said: Said
) -> None:
    assert small.worker is not None
    small.worker.close()
    started = command(small, OPERATOR, "start_migration", request=Request("images", "demo-siglip"))
    command(small, OPERATOR, "pause", run=started.run.id)
    page = open_page("migrations", migration=started.migration.id)
    assert "The build is paused" in [heading.value for heading in page.subheader]
    assert _primary(page) == ["Resume"]
    page.button(key="resume-run").click().run()
    assert small.ledger.get(started.run.id).state is RunState.QUEUED
    page.button(key=f"cancel-{started.run.id}").click().run()
    page.button(key="confirm-do").click().run()
    assert small.ledger.get(started.run.id).state is RunState.CANCELLED
    assert _primary(page) == ["Start a new one"]
    page.button(key="again").click().run()
    assert (page.query_params["served"], page.query_params["model"]) == ("images", "demo-siglip")


def test_the_list_leads_to_the_next_action_of_each_migration(
    verified: Console, open_page: OpenPage, said: Said
) -> None:
    page = open_page("migrations")
    assert not page.exception
    assert "images\\_\\_demo\\-clip → images\\_\\_demo\\-siglip" in said(page)
    assert "Ready" in said(page)
    (link,) = (button for button in page.button if button.label == "Next: judge, then cut over")
    link.click().run()
    (migration,) = verified.migrations.all()
    assert page.query_params["migration"] == migration.id
    assert page.title[0].value == "Migration"


def test_well_known_models_say_whether_their_weights_are_here_and_what_was_built_is_not_offered_as_a_source(
    verified: Console, open_page: OpenPage, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "no-weights"))
    page = open_page("migrations", view="new")
    assert {key for key in _keys(page) if key.startswith("served-")} == {"served-images"}
    page.button(key="served-images").click().run()
    assert "model-siglip-vit-b-16-webli" not in _keys(page)
    page.session_state["known"] = True
    page.run()
    assert "model-siglip-vit-b-16-webli" in _keys(page)
    assert "Not on this machine" in said(page)
    page.button(key="model-siglip-vit-b-16-webli").click().run()
    assert page.button(key="start").disabled
    assert "are not on this machine" in said(page)


def test_the_same_choices_are_not_built_twice_at_once(small: Console, open_page: OpenPage, said: Said) -> None:
    assert small.worker is not None
    small.worker.close()
    choices = {"view": "new", "served": "images", "model": "demo-siglip"}
    first, second = open_page("migrations", **choices), open_page("migrations", **choices)
    first.button(key="start").click().run()
    second.button(key="start").click().run()
    (migration,) = small.migrations.all()
    assert "These very choices are being built already" in said(second)
    second.button(key="open-instead").click().run()
    assert second.query_params["migration"] == first.query_params["migration"] == migration.id


def _settled(console: Console) -> None:
    deadline = time.monotonic() + 60
    while any(run.state is not RunState.SUCCEEDED for run in console.ledger.runs()):
        assert time.monotonic() < deadline, [run.reason for run in console.ledger.runs()]
        time.sleep(0.05)


def test_the_tenant_is_the_first_thing_that_a_part_is_chosen_by_and_is_called_so(
    small: Console, open_page: OpenPage
) -> None:
    configured = replace(small.settings.catalog, facets=("caption",), tenant="user_id")
    small.catalog.close()
    small.catalog = open_catalog(configured)
    page = open_page("migrations", view="new", served="images", model="demo-siglip")
    page.segmented_control(key="wizard-part").set_value("Only a part").run()
    assert [chosen.label for chosen in page.multiselect][1:3] == [r"Tenant (user\_id)", "caption"]


def test_a_tenant_beyond_those_that_are_listed_can_be_typed(small: Console, open_page: OpenPage) -> None:
    with closing(sqlite3.connect(small.settings.workspace / "catalog.db")) as catalog, catalog:
        added = [(n, f"tenant {n:03}", "0001.jpg") for n in range(100, 700)]
        catalog.executemany("INSERT INTO images (id, user_id, original_path) VALUES (?, ?, ?)", added)
    page = open_page("migrations", view="new", served="images", model="demo-siglip", **{"only.user_id": "tenant 699"})
    assert not page.exception
    chosen = page.multiselect(key="only-user_id")
    assert chosen.value == ["tenant 699"]
    assert "tenant 699" in chosen.options, "a value that is not among the commonest is told without a number"
    assert chosen.proto.accept_new_options
