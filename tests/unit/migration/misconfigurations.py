"""Misconfigurations, each planted for real: in the catalog, the pictures, the model's files, the store or the ledger.

`MISCONFIGURATIONS` are those on the embedded store, `ON_A_SERVER` those that only a server can have.
"""

import base64
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from qdrant_client import models as qdrant
from safetensors.numpy import load_file, save_file

from console_core.catalog.opening import open_catalog, open_images
from console_core.catalog.types import Slice
from console_core.commands import command
from console_core.console import Console
from console_core.console.listed_points import StorePoints
from console_core.database import now
from console_core.demo.cards import DEMO_CARDS
from console_core.embedding.loaded import LoadedModels
from console_core.embedding.preprocessing import Mode
from console_core.embedding.registry import ModelCards
from console_core.embedding.types import ModelCard
from console_core.migration.findings import Request, Severity
from console_core.runs import tables
from console_core.runs.owner import Owner
from console_core.settings import CatalogSettings, ImageSettings
from console_core.vectorstore.provenance import FIELD, Provenance
from console_core.vectorstore.qdrant_server import QdrantServer
from console_core.vectorstore.tuning import USUAL as TUNED
from console_core.vectorstore.tuning import Tuning
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point
from tests.conftest import OPERATOR, PICTURES, finish
from tests.picture_server import serving, status
from tests.unit.vectorstore.loopback_qdrant import LoopbackQdrant

SERVED = "images__demo-clip"
USUAL = Request("images", "demo-siglip")
BLOCK, WARN, INFO = Severity.BLOCK, Severity.WARN, Severity.INFO


@dataclass
class World:
    """A filled workspace, and what a plant changes about what the preflight is given."""

    console: Console
    server: LoopbackQdrant | None = None
    parts: dict[str, Any] = field(default_factory=dict)
    undo: list[Callable[[], None]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.console.settings.workspace

    def catalog(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.folder / "catalog.db", isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    def engine(self) -> Any:
        """The server's own engine, as another application would use the server."""
        assert self.server is not None
        return self.server.engine

    def stamp_of(self, model: str) -> ModelStamp:
        return ModelStamp(model, self.console.models.get(model).fingerprint.digest)

    def copy(self, name: str, **otherwise: Any) -> None:
        """A copy of the live collection, with another specification."""
        live = self.console.store.describe("images")
        spec = CollectionSpec(live.dimension, stamp=live.stamp)
        self.console.store.create(name, replace(spec, **otherwise))
        self.console.store.upsert(name, list(self.console.store.scroll("images", vectors=True)))

    def house_model(self, changed: bool = False) -> None:
        """A model of one's own in the workspace; `changed` gives it other weights under the same name."""
        folder = self.folder / "models" / "house"
        if not folder.exists():
            shutil.copytree(DEMO_CARDS[1].architecture.removeprefix("local-dir:"), folder)
        if changed:
            (weights,) = folder.glob("*.safetensors")
            tensors = load_file(weights)
            name = next(name for name, tensor in tensors.items() if tensor.ndim == 2)
            save_file({**tensors, name: tensors[name] * np.float32(1.01)}, weights)
        card = replace(DEMO_CARDS[1], key="house", title="House model", architecture=f"local-dir:{folder}")
        self.cards(*DEMO_CARDS, card)

    def cards(self, *cards: ModelCard) -> None:
        self.console.models = LoadedModels(ModelCards(cards), "cpu")


Plant = Callable[[World], Request | None]


@dataclass(frozen=True)
class Misconfiguration:
    """What is wrong, what must be found, and a word that the message must name the thing by."""

    code: str
    severity: Severity
    names: str
    plant: Plant


MISCONFIGURATIONS: list[Misconfiguration] = []
ON_A_SERVER: list[Misconfiguration] = []


def planted(code: str, severity: Severity, names: str, *, on_server: bool = False) -> Callable[[Plant], Plant]:
    def register(plant: Plant) -> Plant:
        (ON_A_SERVER if on_server else MISCONFIGURATIONS).append(Misconfiguration(code, severity, names, plant))
        return plant

    return register


# What is served now


@planted("source-missing", BLOCK, "photos")
def the_alias_is_mistyped(world: World) -> Request:
    return Request("photos", "demo-siglip")


@planted("alias-instead", BLOCK, "alias images")
def the_collection_is_named_instead_of_its_alias(world: World) -> Request:
    return Request(SERVED, "demo-siglip")


@planted("no-alias", BLOCK, "pictures")
def a_collection_is_searched_by_its_own_name(world: World) -> Request:
    world.copy("pictures")
    return Request("pictures", "demo-siglip")


IN_PLACE = Request("pictures", "demo-siglip", in_place=True)


@planted("in-place-gap", WARN, "about 1–50 ms, pictures will lead nowhere")
def a_collection_is_to_be_recreated_under_its_own_name(world: World) -> Request:
    world.copy("pictures")
    return IN_PLACE


@planted("in-place-backup", WARN, "There is none yet.")
def a_collection_is_to_be_recreated_and_nothing_of_it_is_kept(world: World) -> Request:
    world.copy("pictures")
    return IN_PLACE


@planted("in-place-backup", WARN, "pictures holds 47 points now.")
def a_collection_is_to_be_recreated_and_was_written_to_since_its_backup(world: World) -> Request:
    world.copy("pictures")
    finish(world.console, command(world.console, OPERATOR, "back_up", collection="pictures"))
    (backup,) = world.console.backups.all()
    finish(world.console, command(world.console, OPERATOR, "prove", backup=backup.id))
    world.console.store.delete("pictures", [1])
    return IN_PLACE


@planted("in-place-needless", INFO, "images is an alias")
def an_alias_is_to_be_recreated_in_place(world: World) -> Request:
    return Request("images", "demo-siglip", in_place=True)


@planted("alias-moved", WARN, "images__other")
def somebody_else_moved_the_alias_since_the_last_recorded_move(world: World) -> Request:
    command(world.console, OPERATOR, "introduce_alias", alias="shop", collection=SERVED)
    world.copy("images__other")
    world.console.store.set_alias("shop", "images__other", expected=SERVED)
    return Request("shop", "demo-siglip")


@planted("source-unknown", WARN, "anonymous")
def nobody_knows_which_model_made_the_collection(world: World) -> Request:
    world.copy("anonymous", stamp=None)
    world.console.store.set_alias("old", "anonymous", expected=None)
    return Request("old", "demo-siglip")


@planted("source-mixed", WARN, "5 of 0123456789ab")
def another_model_wrote_some_of_the_points(world: World) -> None:
    points = world.console.store.retrieve("images", [9, 17, 25, 33, 41], vectors=True)
    foreign = Provenance("", "", "", "0123456789ab", "", "").as_payload()[FIELD]
    world.console.store.upsert(
        "images", [replace(point, payload={**point.payload, FIELD: foreign}) for point in points]
    )


@planted("source-unmarked", INFO, "3 of 48 points")
def the_application_wrote_points_of_its_own(world: World) -> None:
    points = world.console.store.retrieve("images", [1, 2, 3], vectors=True)
    world.console.store.upsert("images", [Point(point.id, point.vector, {}) for point in points])


@planted("source-model", WARN, "lost-model")
def the_model_of_the_old_collection_is_not_here(world: World) -> None:
    world.console.store.stamp("images", ModelStamp("lost-model", "0123456789ab"))


@planted("source-weights", WARN, "demo-clip is here")
def the_weights_of_the_old_model_were_changed_under_the_same_name(world: World) -> None:
    world.console.store.stamp("images", ModelStamp("demo-clip", "0123456789ab"))


@planted("source-dimension", WARN, "128 numbers")
def the_old_collection_is_stamped_as_made_by_a_model_of_another_dimension(world: World) -> None:
    world.console.store.stamp("images", world.stamp_of("demo-siglip"))


@planted("source-busy", WARN, SERVED)
def a_run_is_writing_to_what_is_served(world: World) -> None:
    request = Request("images", "demo-clip", target=SERVED)
    command(world.console, OPERATOR, "start_migration", request=request)


@planted("distance", WARN, "euclid")
def the_old_collection_measures_another_distance(world: World) -> Request:
    world.copy("far", distance="euclid")
    world.console.store.set_alias("distant", "far", expected=None)
    return Request("distant", "demo-siglip")


# The model


@planted("model", BLOCK, "no-such-model")
def the_model_is_unknown(world: World) -> Request:
    return Request("images", "no-such-model")


@planted("model", BLOCK, "models/house")
def the_weights_of_the_model_are_not_there(world: World) -> Request:
    world.house_model()
    for weights in (world.folder / "models" / "house").glob("*.safetensors"):
        weights.unlink()
    return Request("images", "house")


@planted("model", BLOCK, "House model cannot be loaded")
def the_weights_of_the_model_are_damaged(world: World) -> Request:
    world.house_model()
    (weights,) = (world.folder / "models" / "house").glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:10_000])
    return Request("images", "house")


@planted("model-dimension", BLOCK, "200 numbers")
def the_card_of_the_model_has_another_dimension_than_its_answers(world: World) -> None:
    world.cards(DEMO_CARDS[0], replace(DEMO_CARDS[1], dimension=200))


@planted("no-text-tower", BLOCK, "Demo SigLIP")
def a_model_without_a_text_tower_shall_be_searched_by_text(world: World) -> None:
    world.cards(DEMO_CARDS[0], replace(DEMO_CARDS[1], has_text=False))


@planted("weights-changed", WARN, "images__house")
def an_earlier_build_is_of_other_weights_of_the_same_name(world: World) -> Request:
    world.house_model()
    build = command(world.console, OPERATOR, "start_migration", request=Request("images", "house"))
    finish(world.console, build.run)
    world.house_model(changed=True)
    return Request("images", "house")


@planted("same-model", WARN, SERVED)
def the_target_model_is_the_one_that_serves(world: World) -> Request:
    return Request("images", "demo-clip")


# The pictures


@planted("catalog", BLOCK, "caption")
def a_column_of_the_catalog_was_renamed(world: World) -> None:
    world.catalog("ALTER TABLE images RENAME COLUMN caption TO words")


def _other_keys(world: World, column: str, *rows: str) -> None:
    """Give the catalog's table keys of its own that are not the whole numbers of a primary key."""
    world.catalog(
        "ALTER TABLE images RENAME TO pictures",
        f"CREATE TABLE images ({column}, user_id TEXT, compressed_path TEXT, original_path TEXT, caption TEXT)",
        "INSERT INTO images SELECT 'k' || id, user_id, compressed_path, original_path, caption FROM pictures",
    )
    world.parts["catalog"] = catalog = open_catalog(world.console.settings.catalog)
    world.undo.append(catalog.close)
    world.catalog(*rows)


@planted("key-order", BLOCK, "id of images is NULL in 2 rows")
def the_key_is_null_in_some_rows(world: World) -> None:
    _other_keys(world, "id TEXT UNIQUE", *2 * ["INSERT INTO images (id, original_path) VALUES (NULL, '0001.jpg')"])


@planted("key-order", BLOCK, "1 integer and 48 text")
def the_key_mixes_numbers_and_text(world: World) -> None:
    _other_keys(world, "id UNIQUE", "INSERT INTO images (id, original_path) VALUES (7, '0001.jpg')")


@planted("key-order", BLOCK, "1 real and 48 text")
def the_key_has_a_number_with_a_fraction(world: World) -> None:
    _other_keys(world, "id UNIQUE", "INSERT INTO images (id, original_path) VALUES (7.5, '0001.jpg')")


@planted("key-order", BLOCK, "'k1' and 'K1'")
def the_key_does_not_tell_upper_from_lower_case(world: World) -> None:
    _other_keys(world, "id TEXT COLLATE NOCASE", "INSERT INTO images (id, original_path) VALUES ('K1', '0001.jpg')")


@planted("key-order", BLOCK, "k5 occurs 2 times")
def the_key_occurs_twice(world: World) -> None:
    _other_keys(world, "id TEXT", "INSERT INTO images (id, original_path) VALUES ('k5', '0001.jpg')")


def _list_a_collection(world: World, name: str) -> None:
    """Make a collection's own payload the catalog."""
    configured = CatalogSettings("collection", name, paths=("caption",))
    world.parts["catalog"] = open_catalog(configured, points=StorePoints(world.console.store))


@planted("catalog-pinned", BLOCK, f"stays with {SERVED} at the cut-over")
def the_catalog_is_the_collection_that_the_alias_leaves(world: World) -> None:
    _list_a_collection(world, SERVED)


@planted("catalog-target", BLOCK, "images__demo-siglip, the collection that is to be built")
def the_catalog_is_the_collection_that_is_to_be_built(world: World) -> None:
    _list_a_collection(world, "images__demo-siglip")


@planted("catalog-moves", INFO, "on no list any more")
def the_catalog_is_what_the_alias_serves(world: World) -> None:
    _list_a_collection(world, "images")


@planted("nothing-selected", BLOCK, "slice")
def the_slice_is_empty(world: World) -> Request:
    return replace(USUAL, part=Slice({"user_id": ("nobody",)}))


@planted("slice", WARN, f"16 of {PICTURES}")
def the_slice_is_a_part(world: World) -> Request:
    return replace(USUAL, part=Slice({"user_id": ("user-1",)}))


@planted("no-paths", BLOCK, "compressed_path, original_path")
def the_path_columns_are_empty(world: World) -> None:
    world.catalog("UPDATE images SET original_path = ''")


@planted("few-paths", WARN, "12 of the first 48 rows (25%)")
def a_quarter_of_the_rows_has_no_path(world: World) -> None:
    world.catalog("UPDATE images SET original_path = NULL WHERE id % 4 = 0")


@planted("few-paths", WARN, "1,000 of the first 1,000 rows (100%)")
def the_oldest_rows_have_no_path(world: World) -> None:
    world.catalog(
        "WITH RECURSIVE older(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM older WHERE n < 1100) "
        "INSERT INTO images (id) SELECT -n FROM older"
    )


@planted("image-root", BLOCK, "does not exist")
def the_image_root_does_not_exist(world: World) -> None:
    (world.folder / "images").rename(world.folder / "moved")


@planted("image-root", BLOCK, "is not a folder")
def the_image_root_is_a_file(world: World) -> None:
    (world.folder / "images").rename(world.folder / "moved")
    (world.folder / "images").write_text("")


@planted("image-root", WARN, "archive")
def a_second_image_root_is_not_mounted(world: World) -> None:
    world.parts["image_roots"] = (*world.console.settings.image_roots, world.folder / "archive")


@planted("image-root", BLOCK, "does not answer")
def the_server_of_the_pictures_is_down(world: World) -> None:
    with serving() as gone:
        root = f"{gone.url}/pictures/"
    world.parts["images"] = images = open_images(ImageSettings((root,), retries=0))
    world.parts["image_roots"] = (root,)
    world.undo.append(images.close)


@planted("image-root", BLOCK, "answers 401")
def the_server_of_the_pictures_wants_a_password(world: World) -> None:
    server = ExitStack()
    pictures = server.enter_context(serving())
    pictures.faults["*"].extend([status(401)] * 200)
    root = f"{pictures.url}/pictures/"
    world.parts["images"] = images = open_images(ImageSettings((root,), retries=0))
    world.parts["image_roots"] = (root,)
    server.callback(images.close)
    world.undo.append(server.close)


@planted("pictures", BLOCK, f"None of {PICTURES} pictures")
def not_one_picture_can_be_read(world: World) -> None:
    for file in (world.folder / "images").iterdir():
        file.write_bytes(b"<html>not found</html>")


@planted("pictures", WARN, f"3 of {PICTURES} pictures")
def some_pictures_cannot_be_read(world: World) -> None:
    for number in (2, 5, 7):
        (world.folder / "images" / f"{number:04}.jpg").unlink()


def _large_pictures(world: World, pixels: NDArray[np.uint8]) -> None:
    Image.fromarray(pixels).save(world.folder / "images" / "large.jpg", quality=30)
    world.catalog("UPDATE images SET original_path = 'large.jpg'")


@planted("parity", WARN, "Below 0.999")
def the_decoder_would_leave_out_what_grainy_pictures_have(world: World) -> Request:
    grain = np.random.default_rng(1).normal(128, 200, (640, 640, 3))
    _large_pictures(world, np.clip(grain, 0, 255).astype(np.uint8))
    return replace(USUAL, mode=Mode.TURBO)


@planted("parity", BLOCK, "Below 0.98")
def the_decoder_would_leave_out_the_stars_of_a_night_sky(world: World) -> Request:
    stars = np.random.default_rng(1).random((640, 640, 1)) < 0.02
    _large_pictures(world, np.repeat(stars, 3, axis=2).astype(np.uint8) * np.uint8(255))
    return replace(USUAL, mode=Mode.TURBO)


# The new collection


@planted("target-name", BLOCK, "../escape")
def the_target_has_a_name_that_no_collection_can_bear(world: World) -> Request:
    return replace(USUAL, target="../escape")


@planted("target-alias", BLOCK, "images is an alias")
def the_target_is_named_like_the_alias(world: World) -> Request:
    return replace(USUAL, target="images")


@planted("target-exists", BLOCK, "other exists with 48 points")
def the_target_exists_and_is_not_ours(world: World) -> Request:
    world.copy("other")
    return replace(USUAL, target="other")


@planted("target-weights", BLOCK, "images__house")
def the_target_was_begun_with_other_weights_of_the_same_name(world: World) -> Request:
    an_earlier_build_is_of_other_weights_of_the_same_name(world)
    return Request("images", "house", target="images__house")


@planted("target-dimension", BLOCK, "128 numbers")
def the_target_has_another_dimension_than_its_model(world: World) -> Request:
    world.console.store.create("begun", CollectionSpec(128, stamp=world.stamp_of("demo-siglip")))
    return replace(USUAL, target="begun")


@planted("target-distance", BLOCK, "euclid")
def the_target_measures_another_distance(world: World) -> Request:
    world.console.store.create("begun", CollectionSpec(192, "euclid", stamp=world.stamp_of("demo-siglip")))
    return replace(USUAL, target="begun")


@planted("target-foreign", BLOCK, "did not write")
def the_target_has_points_of_an_application(world: World) -> Request:
    world.console.store.create("theirs", CollectionSpec(192, stamp=world.stamp_of("demo-siglip")))
    vector = np.ones(192, dtype=np.float32)
    world.console.store.upsert("theirs", [Point(number, vector, {"title": "a"}) for number in range(3)])
    return replace(USUAL, target="theirs")


@planted("target-mixed", WARN, "2 of 2 points")
def the_target_has_points_of_another_model(world: World) -> Request:
    world.console.store.create("begun", CollectionSpec(192, stamp=world.stamp_of("demo-siglip")))
    payload = Provenance("1", "", "", "0123456789ab", "", "").as_payload()
    vector = np.ones(192, dtype=np.float32)
    world.console.store.upsert("begun", [Point(number, vector, payload) for number in (1, 2)])
    return replace(USUAL, target="begun")


@planted("target-busy", BLOCK, "images__demo-siglip")
def another_run_writes_to_the_target(world: World) -> None:
    command(world.console, OPERATOR, "start_migration", request=USUAL)


@planted("target-live", WARN, SERVED)
def the_target_is_what_is_served(world: World) -> Request:
    return Request("images", "demo-clip", target=SERVED)


@planted("already-built", WARN, "images__demo-siglip")
def the_same_was_built_before(world: World) -> None:
    finish(world.console, command(world.console, OPERATOR, "start_migration", request=USUAL).run)


@planted("target-mode", WARN, "was built in exact mode")
def the_target_was_begun_in_another_mode(world: World) -> Request:
    stamp = replace(world.stamp_of("demo-siglip"), preprocess="exact")
    world.console.store.create("begun", CollectionSpec(192, stamp=stamp))
    return replace(USUAL, target="begun")


# The store and the machine


@planted("capacity", BLOCK, "20,001 points")
def the_embedded_store_is_too_small(world: World) -> None:
    world.catalog(
        "WITH RECURSIVE more(n) AS (SELECT 49 UNION ALL SELECT n + 1 FROM more WHERE n < 20001) "
        "INSERT INTO images SELECT n, 'user-1', NULL, '0001.jpg', '' FROM more"
    )


@planted("memory", BLOCK, "of memory")
def a_batch_takes_more_memory_than_the_machine_has(world: World) -> Request:
    return replace(USUAL, batch_size=10_000_000)


@planted("batch-size", BLOCK, "0 pictures")
def a_batch_has_no_pictures(world: World) -> Request:
    return replace(USUAL, batch_size=0)


@planted("settings-refused", BLOCK, "quantile of 2")
def a_setting_is_out_of_range(world: World) -> Request:
    return replace(USUAL, tuning=Tuning(quantization={"type": "int8", "quantile": 2.0}))


@planted("settings-refused", BLOCK, "float16")
def the_store_has_no_such_quantization(world: World) -> Request:
    return replace(USUAL, tuning=Tuning(quantization={"type": "float16"}))


@planted("settings-noted", WARN, "HNSW, m 16, ef_construct 100; INT8")
def the_store_would_only_note_the_settings(world: World) -> Request:
    return replace(USUAL, tuning=TUNED)


# The workspace


@planted("owned-elsewhere", WARN, "a test")
def another_process_owns_the_workspace(world: World) -> None:
    world.parts["owner"] = None  # as in a process that only looks, while the one that opened it still has it


@planted("owner-lost", BLOCK, "another console")
def another_process_took_the_workspace_over(world: World) -> None:
    (world.folder / "ledger.db.lock").unlink()
    world.undo.append(Owner.acquire(world.console.database, "another console").release)


@planted("clock-back", BLOCK, "set back")
def the_clock_was_set_back_by_an_hour(world: World) -> None:
    world.console.ledger.note("olga", "look", "images")
    with world.console.database.transaction() as connection:
        connection.execute(tables.journal.update().values(at=now() + timedelta(hours=1)))


@planted("clock-back", WARN, "set back")
def the_clock_was_set_back_by_ten_seconds(world: World) -> None:
    world.console.ledger.note("olga", "look", "images")
    with world.console.database.transaction() as connection:
        connection.execute(tables.journal.update().values(at=now() + timedelta(seconds=12)))


# A server


@planted("server-version", BLOCK, "Qdrant 1.9.7", on_server=True)
def the_server_is_too_old(world: World) -> None:
    assert world.server is not None
    world.server.version = "1.9.7"


@planted("server-metadata", WARN, "1.15.4", on_server=True)
def the_server_keeps_no_metadata(world: World) -> None:
    assert world.server is not None
    world.server.version = "1.15.4"


def _token(world: World, **claims: Any) -> None:
    """The same server, spoken to with an access token that says this of itself."""
    assert world.server is not None
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    world.parts["store"] = store = QdrantServer(world.server.url, api_key=f"eyJhbGciOiJIUzI1NiJ9.{body}.c2lnbmVk")
    world.undo.append(store.close)


@planted("store-read-only", BLOCK, "may read and not write", on_server=True)
def the_access_token_may_only_read(world: World) -> None:
    _token(world, access="r")


@planted("store-read-only", BLOCK, "images__demo-siglip", on_server=True)
def the_access_token_is_for_other_collections(world: World) -> None:
    _token(world, access=[{"collection": SERVED, "access": "rw"}])


@planted("store-read-only", BLOCK, "2001-09-09", on_server=True)
def the_access_token_has_ended(world: World) -> None:
    _token(world, access="m", exp=1_000_000_000)


@planted("store-limits", WARN, "max_points_count is 20", on_server=True)
def the_servers_collections_are_limited(world: World) -> None:
    assert world.server is not None
    world.server.strict[SERVED] = qdrant.StrictModeConfigOutput(enabled=True, max_points_count=20)


@planted("store-limits", BLOCK, "upsert_max_batchsize is 16", on_server=True)
def the_target_takes_smaller_batches_only(world: World) -> Request:
    assert world.server is not None
    world.console.store.create("begun", CollectionSpec(192, stamp=world.stamp_of("demo-siglip")))
    world.server.strict["begun"] = qdrant.StrictModeConfigOutput(enabled=True, upsert_max_batchsize=16)
    return replace(USUAL, target="begun")


@planted("store-rate", INFO, "30 writes a minute", on_server=True)
def the_servers_writes_are_limited(world: World) -> None:
    assert world.server is not None
    world.server.strict[SERVED] = qdrant.StrictModeConfigOutput(enabled=True, write_rate_limit=30)


@planted("target-index", WARN, "m is 64, not 16", on_server=True)
def the_target_has_another_index(world: World) -> Request:
    _begun(world, index={"m": 64})
    return replace(USUAL, target="begun")


@planted("target-quantization", WARN, "type is int8, not unset", on_server=True)
def the_target_is_quantized_and_the_old_one_is_not(world: World) -> Request:
    _begun(world, quantization={"type": "int8"})
    return replace(USUAL, target="begun")


@planted("target-index", WARN, "differs from what is asked for: m is 64, not 32", on_server=True)
def an_empty_target_is_tuned_otherwise_than_is_asked_for(world: World) -> Request:
    world.console.store.create("begun", CollectionSpec(192, stamp=world.stamp_of("demo-siglip"), index={"m": 64}))
    return replace(USUAL, target="begun", tuning=Tuning({"m": 32}))


@planted("target-settings", INFO, "m 64, ef_construct 100", on_server=True)
def an_empty_target_was_prepared_with_its_own_settings(world: World) -> Request:
    world.console.store.create("begun", CollectionSpec(192, stamp=world.stamp_of("demo-siglip"), index={"m": 64}))
    return replace(USUAL, target="begun")


@planted("settings-chosen", INFO, "INT8, quantile 0.99", on_server=True)
@planted("rescoring", INFO, "rescore", on_server=True)
def the_new_collection_shall_be_quantized(world: World) -> Request:
    return replace(USUAL, tuning=TUNED)


def _begun(world: World, **settings: Any) -> None:
    """A target that the model has begun to fill."""
    stamp = world.stamp_of("demo-siglip")
    world.console.store.create("begun", CollectionSpec(192, stamp=stamp, **settings))
    made = Provenance("1", "", "", stamp.fingerprint, "r-1", "").as_payload()
    world.console.store.upsert("begun", [Point(1, np.ones(192, dtype=np.float32), made)])


_TWO = {name: qdrant.VectorParams(size=192, distance=qdrant.Distance.COSINE) for name in ("image", "text")}


@planted("source-shape", BLOCK, '"image", "text"', on_server=True)
def the_old_collection_has_two_vectors_a_point(world: World) -> Request:
    world.engine().create_collection("two", vectors_config=_TWO)
    world.console.store.set_alias("twofold", "two", expected=None)
    return Request("twofold", "demo-siglip")


@planted("target-shape", BLOCK, '"image", "text"', on_server=True)
def the_target_has_two_vectors_a_point(world: World) -> Request:
    stamp = world.stamp_of("demo-siglip")
    metadata = {FIELD: {"model": stamp.model, "fingerprint": stamp.fingerprint}}
    world.engine().create_collection("two", vectors_config=_TWO, metadata=metadata)
    return replace(USUAL, target="two")


@planted("source-vectors", WARN, "2 of 48 vectors", on_server=True)
def some_vectors_are_zero(world: World) -> None:
    points = [qdrant.PointStruct(id=number, vector=[0.0] * 128, payload={}) for number in (4, 44)]
    world.engine().upsert(SERVED, points)


@planted("source-lengths", WARN, "3 of 3 vectors", on_server=True)
def some_vectors_are_not_of_length_one_under_a_dot_product(world: World) -> Request:
    params = qdrant.VectorParams(size=2, distance=qdrant.Distance.DOT)
    world.engine().create_collection("lengths", vectors_config=params)
    world.engine().upsert("lengths", [qdrant.PointStruct(id=n, vector=[3.0, 4.0], payload={}) for n in range(3)])
    world.console.store.set_alias("long", "lengths", expected=None)
    return Request("long", "demo-siglip")


def _shop(world: World, **beside: Any) -> None:
    """An application's collection whose one named vector is searched under a name of its own."""
    clip = {"clip": qdrant.VectorParams(size=128, distance=qdrant.Distance.COSINE)}
    world.engine().create_collection("shop", vectors_config=clip, **beside)
    world.console.store.set_alias("shop@searched", "shop@clip", expected=None)


IN_THE_SHOP = Request("shop@searched", "demo-siglip", target="shop@siglip")


@planted("named-vector", WARN, "Qdrant server 1.20.0", on_server=True)
def the_target_is_a_second_vector_of_what_is_searched(world: World) -> Request:
    _shop(world)
    return IN_THE_SHOP


@planted("named-beside", INFO, "words", on_server=True)
def the_collection_has_vectors_that_the_console_cannot_make(world: World) -> Request:
    _shop(world, sparse_vectors_config={"words": qdrant.SparseVectorParams()})
    return IN_THE_SHOP


@planted("named-elsewhere", BLOCK, "cannot be moved to shop__demo-siglip", on_server=True)
def the_name_of_a_vector_cannot_lead_to_a_parallel_collection(world: World) -> Request:
    _shop(world)
    return replace(IN_THE_SHOP, target="")


@planted("named-elsewhere", BLOCK, "images cannot lead to one", on_server=True)
def the_alias_of_a_whole_collection_cannot_lead_to_a_vector(world: World) -> Request:
    _shop(world)
    return replace(USUAL, target="shop@siglip")


@planted("named-elsewhere", BLOCK, "nor its name be passed on", on_server=True)
def a_named_vector_cannot_be_recreated_in_place(world: World) -> Request:
    _shop(world)
    return replace(IN_THE_SHOP, served="shop@clip", in_place=True)


@planted("named-refused", BLOCK, "has no name", on_server=True)
def the_target_would_be_beside_a_vector_without_a_name(world: World) -> Request:
    return replace(USUAL, target=f"{SERVED}@siglip")
