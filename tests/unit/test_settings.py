"""What a workspace is connected to, as console.toml and the environment say it."""

import os
from pathlib import Path
from typing import Any

import pytest

from console_core import settings
from console_core.errors import SettingsError
from console_core.settings import CatalogSettings, ModelSettings, Settings, StoreSettings


def write(workspace: Path, text: str = "") -> Path:
    workspace.mkdir(exist_ok=True)
    (workspace / settings.FILE).write_text(text, "utf-8")
    return workspace


@pytest.fixture(name="workspace")
def _workspace(tmp_path: Path) -> Path:
    return write(tmp_path / "workspace")


def read(workspace: Path, text: str = "", **environment: str) -> Settings:
    return settings.read(write(workspace, text), environment)


def refused(workspace: Path, text: str = "", **environment: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        read(workspace, text, **environment)
    assert caught.value.message
    assert caught.value.remedy
    return caught.value


# The workspace


def test_the_workspace_is_the_one_given_else_that_of_the_environment_else_here(tmp_path: Path) -> None:
    environment = {"CONSOLE_WORKSPACE": str(tmp_path / "theirs")}
    assert settings.workspace_folder(tmp_path / "mine", environment) == tmp_path / "mine"
    assert settings.workspace_folder(None, environment) == tmp_path / "theirs"
    assert settings.workspace_folder(None, {}) == Path.cwd() / "workspace"


def test_a_folder_without_a_console_toml_is_no_workspace_and_the_remedy_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not a workspace") as caught:
        settings.read(tmp_path, {})
    assert "embedding-console demo" in caught.value.remedy


@pytest.mark.parametrize("content", [b"[store\n", b"url = ", b"\xff\xfe\x00", b"a = 1\na = 2\n"])
def test_a_file_that_is_not_toml_is_named(workspace: Path, content: bytes) -> None:
    (workspace / settings.FILE).write_bytes(content)
    with pytest.raises(SettingsError, match=r"console\.toml cannot be read"):
        settings.read(workspace, {})


def test_a_folder_called_console_toml_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / settings.FILE).mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        settings.read(tmp_path, {})


def test_an_empty_file_means_an_embedded_store_and_a_folder_of_pictures_beside_it(workspace: Path) -> None:
    found = read(workspace)
    assert found.store == StoreSettings(f"local:{workspace / 'qdrant'}")
    assert found.catalog == CatalogSettings("folder", str(workspace / "images"))
    assert found.image_roots == (workspace / "images",)
    assert found.ledger_url == f"sqlite:///{workspace / 'ledger.db'}"
    assert (found.models, found.examples, found.device, found.role) == ((), (), "auto", "admin")
    assert found.actor
    assert found.cache == workspace / "cache"


# The sections


def test_every_setting_of_the_file_is_read(workspace: Path) -> None:
    found = read(
        workspace,
        """
        device = "cuda:1"
        [store]
        url = "https://qdrant.example:6333"
        api_key = "key"
        timeout = 5
        retries = 0
        [catalog]
        kind = "sql"
        location = "postgresql://reader@db/app"
        table = "images"
        key = "uuid"
        paths = ["small", "large"]
        payload = ["caption"]
        facets = ["user_id"]
        updated_at = "changed"
        recursive = false
        [images]
        root = "/pictures"
        also = ["more"]
        [ledger]
        url = "postgresql://console@db/console"
        [query_lab]
        examples = [" a red car ", "", "the sea"]
        [models.mine]
        architecture = "ViT-B-32"
        weights = "w.safetensors"
        title = "Mine"
        dimension = 512
        image_size = 224
        """,
    )
    assert found.device == "cuda:1"
    assert found.store == StoreSettings("https://qdrant.example:6333", "key", timeout=5, retries=0)
    assert found.catalog == CatalogSettings(
        kind="sql",
        location="postgresql://reader@db/app",
        table="images",
        key="uuid",
        paths=("small", "large"),
        payload=("caption",),
        facets=("user_id",),
        updated_at="changed",
        recursive=False,
    )
    assert found.image_roots == (Path("/pictures"), workspace / "more")
    assert found.ledger_url == "postgresql://console@db/console"
    assert found.examples == ("a red car", "the sea")
    assert found.models == (ModelSettings("mine", "ViT-B-32", "w.safetensors", "Mine", 512, 224),)


def test_a_key_never_shows_when_settings_are_printed(workspace: Path) -> None:
    assert "s3cret" not in repr(read(workspace, CONSOLE_STORE_API_KEY="s3cret"))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[store]\ntimeout = "x"', "timeout"),
        ("[store]\ntimeout = 0", "timeout"),
        ("[store]\ntimeout = true", "timeout"),
        ("[store]\ntimeout = 1.5", "timeout"),
        ("[store]\nretries = -1", "retries"),
        ("[store]\nurl = 6333", "url"),
        ('[store]\napi_key = ["a"]', "api_key"),
        ("[catalog]\nlocation = 1", "location"),
        ("[catalog]\nkind = 1", "kind"),
        ('[catalog]\npaths = "compressed_path"', "paths"),
        ("[catalog]\npayload = [1]", "payload"),
        ("[catalog]\nkey = []", "key"),
        ("[catalog]\nkey = [1]", "key"),
        ("[catalog]\nkey = 1", "key"),
        ("[catalog]\ntenant = []", "tenant"),
        ('[catalog]\nfacets = "user_id"', "facets"),
        ('[catalog]\nrecursive = "no"', "recursive"),
        ("[images]\nroot = []", "root"),
        ('[images]\nalso = "more"', "also"),
        ("[ledger]\nurl = 1", "url"),
        ("[query_lab]\nexamples = [1]", "examples"),
        ('[models.mine]\narchitecture = "ViT-B-32"\ndimension = "512"', "dimension"),
        ("[models.mine]\narchitecture = 5", "architecture"),
        ("device = 0", "device"),
    ],
)
def test_a_value_of_a_wrong_type_is_named_with_what_to_write(workspace: Path, text: str, named: str) -> None:
    error = refused(workspace, text)
    assert error.message.startswith(f"{named} of ")
    assert named in error.remedy


@pytest.mark.parametrize("section", ["store", "catalog", "images", "ledger", "query_lab", "models"])
def test_a_value_where_a_section_belongs_is_refused(workspace: Path, section: str) -> None:
    assert f"[{section}]" in refused(workspace, f"{section} = 5").remedy


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("[catalog]\nupdate_at = 'x'", "updated_at"),
        ("[stor]\nurl = 'x'", "store"),
        ("[models.mine]\narchitecure = 'ViT-B-32'", "architecture"),
        ("devise = 'cpu'", "device"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_one_that_was_meant(workspace: Path, text: str, near: str) -> None:
    assert refused(workspace, text).remedy == f"Did you mean {near}?"


def test_a_setting_that_resembles_nothing_is_refused_with_those_that_exist(workspace: Path) -> None:
    assert "url, api_key, timeout, retries" in refused(workspace, "[store]\nzzz = 1").remedy


@pytest.mark.parametrize("entry", ["[models]\nmine = 5", "[models.mine]\ntitle = 'x'"])
def test_a_model_without_an_architecture_is_named(workspace: Path, entry: str) -> None:
    assert "[models.mine]" in refused(workspace, entry).message


# The catalog and the pictures


@pytest.mark.parametrize("kind", ["mongo", "SQL"])
def test_a_kind_of_catalog_that_does_not_exist_is_refused(workspace: Path, kind: str) -> None:
    assert (
        refused(workspace, f'[catalog]\nkind = "{kind}"').remedy == "Use one of: sql, folder, list, table, collection."
    )


def test_an_sql_catalog_needs_a_table(workspace: Path) -> None:
    assert "names no table" in refused(workspace, '[catalog]\nlocation = "sqlite:///a.db"').message


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("photos", "folder"),
        ("photos.2024", "folder"),
        ("list.txt", "list"),
        ("list.csv", "list"),
        ("list.list", "list"),
        ("images.tsv", "table"),
        ("images.PARQUET", "table"),
        ("sqlite:///a.db", "sql"),
        ("postgresql+psycopg://db/app", "sql"),
    ],
)
def test_the_kind_of_a_catalog_is_told_from_its_location(workspace: Path, location: str, kind: str) -> None:
    assert read(workspace, f'[catalog]\nlocation = "{location}"\ntable = "images"').catalog.kind == kind


def test_a_csv_file_is_a_table_where_its_columns_are_named_and_else_a_list(workspace: Path) -> None:
    (workspace / "a.csv").write_text("id,path\n")
    (workspace / "folder.parquet").mkdir()
    named = '[catalog]\nlocation = "a.csv"\npaths = ["path"]'
    assert read(workspace, named).catalog.kind == "table"
    assert read(workspace, named).image_roots == (workspace,), "paths start where the file is"
    assert read(workspace, f'{named}\n[images]\nroot = "p"').image_roots == (workspace / "p",)
    assert read(workspace, '[catalog]\nlocation = "a.csv"').catalog.kind == "list"
    assert read(workspace, '[catalog]\nlocation = "folder.parquet"').catalog.kind == "folder"


def test_a_collection_is_named_as_it_is(workspace: Path) -> None:
    found = read(workspace, '[catalog]\nkind = "collection"\nlocation = "images/main"\npaths = ["path"]')
    assert (found.catalog.kind, found.catalog.location) == ("collection", "images/main")
    assert found.image_roots == (workspace / "images",)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ('"uuid"', ("uuid",)),
        ('["uuid"]', ("uuid",)),
        ('["tenant", "number"]', ("tenant", "number")),
    ],
)
def test_a_key_is_one_column_or_several(workspace: Path, text: str, columns: tuple[str, ...]) -> None:
    sql = '[catalog]\nlocation = "sqlite:///a.db"\ntable = "t"\n'
    assert read(workspace, f"{sql}key = {text}").catalog.key_columns == columns


def test_a_tenant_is_carried_by_points_and_the_first_that_slices_filter_by(workspace: Path) -> None:
    mapping = 'payload = ["caption"]\nfacets = ["type", "user_id"]\ntenant = "user_id"'
    found = read(workspace, f'[catalog]\nlocation = "sqlite:///a.db"\ntable = "t"\n{mapping}').catalog
    assert found.slices_by == ("user_id", "type")
    assert found.carried == ("caption", "user_id")


def test_what_lies_there_tells_more_than_its_name(workspace: Path) -> None:
    (workspace / "pictures").write_text("a.jpg\n")
    (workspace / "folder.txt").mkdir()
    assert read(workspace, '[catalog]\nlocation = "pictures"').catalog.kind == "list"
    assert read(workspace, '[catalog]\nlocation = "folder.txt"').catalog.kind == "folder"


def test_a_folder_catalog_may_read_its_own_pictures(workspace: Path, tmp_path: Path) -> None:
    found = read(workspace, f'[catalog]\nlocation = "{tmp_path / "elsewhere"}"')
    assert found.image_roots == (workspace / "images", tmp_path / "elsewhere")


def test_a_list_catalog_may_read_what_lies_beside_it(workspace: Path, tmp_path: Path) -> None:
    found = read(workspace, f'[catalog]\nlocation = "{tmp_path / "elsewhere" / "list.txt"}"')
    assert found.image_roots == (workspace / "images", tmp_path / "elsewhere")


def test_an_sql_catalog_adds_no_image_root_and_none_is_named_twice(workspace: Path) -> None:
    sql = '[catalog]\nlocation = "sqlite:///a.db"\ntable = "t"\n'
    assert read(workspace, f'{sql}[images]\nroot = "p"\nalso = ["p", "q", ""]').image_roots == (
        workspace / "p",
        workspace / "q",
    )


# Paths


def test_relative_paths_start_from_the_workspace_and_not_from_where_the_console_was_started(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = read(
        workspace,
        '[store]\nurl = "local:../vectors"\n[catalog]\nlocation = "sqlite:///app.db"\ntable = "t"\n'
        '[images]\nroot = "../pictures"\n[ledger]\nurl = "sqlite:///books/ledger.db"',
    )
    assert found.store.url == f"local:{tmp_path / 'vectors'}"
    assert found.catalog.location == f"sqlite:///{workspace / 'app.db'}"
    assert found.image_roots == (tmp_path / "pictures",)
    assert found.ledger_url == f"sqlite:///{workspace / 'books' / 'ledger.db'}"


def test_absolute_paths_home_folders_and_databases_in_memory_stay_what_they_are(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/olga")
    found = read(
        workspace,
        '[store]\nurl = "local:~/vectors"\n[catalog]\nlocation = "sqlite:////var/app.db"\ntable = "t"\n'
        '[ledger]\nurl = "sqlite:///:memory:"',
    )
    assert found.store.url == "local:/home/olga/vectors"
    assert found.catalog.location == "sqlite:////var/app.db"
    assert found.ledger_url == "sqlite:///:memory:"


@pytest.mark.parametrize("path", ["~nobody-of-that-name/pictures", r"a\u0000b"])
def test_a_path_that_cannot_be_one_is_refused(workspace: Path, path: str) -> None:
    assert "is not a path" in refused(workspace, f'[images]\nroot = "{path}"').message


# The environment

FILE = """
device = "cpu"
[store]
url = "local:file"
api_key = "file"
[catalog]
kind = "sql"
location = "sqlite:///file.db"
table = "images"
[images]
root = "file"
[ledger]
url = "sqlite:///file.db"
"""


@pytest.mark.parametrize(
    ("variable", "value", "name", "expected"),
    [
        ("CONSOLE_STORE_URL", "http://host:6333", "store.url", "http://host:6333"),
        ("CONSOLE_STORE_API_KEY", "mine", "store.api_key", "mine"),
        ("CONSOLE_CATALOG_URL", "mysql://host/app", "catalog.location", "mysql://host/app"),
        ("CONSOLE_IMAGE_ROOT", f"/a{os.pathsep}/b{os.pathsep}", "image_roots", (Path("/a"), Path("/b"))),
        ("CONSOLE_LEDGER_URL", "postgresql://host/books", "ledger_url", "postgresql://host/books"),
        ("CONSOLE_DEVICE", "cuda", "device", "cuda"),
        ("CONSOLE_PRECISION", "bfloat16", "precision", "bfloat16"),
        ("CONSOLE_ACTOR", "olga", "actor", "olga"),
        ("CONSOLE_ACTOR_HEADER", " X-Forwarded-User ", "actor_header", "X-Forwarded-User"),
        ("CONSOLE_ROLE", "viewer", "role", "viewer"),
    ],
)
def test_a_variable_wins_over_the_file_and_an_empty_one_does_not(
    workspace: Path, variable: str, value: str, name: str, expected: object
) -> None:
    def found(**environment: str) -> Any:
        setting: Any = read(workspace, FILE, **environment)
        for part in name.split("."):
            setting = getattr(setting, part)
        return setting

    assert found(**{variable: value}) == expected
    assert found(**{variable: ""}) == found() != expected


def test_a_folder_in_the_environment_is_a_folder_though_the_file_says_sql(workspace: Path, tmp_path: Path) -> None:
    found = read(workspace, FILE, CONSOLE_CATALOG_URL=str(tmp_path / "photos"))
    assert found.catalog.kind == "folder"
    assert tmp_path / "photos" in found.image_roots


@pytest.mark.parametrize("device", ["tpu", "cudax", "cuda:", "cuda:x", "CPU"])
def test_a_device_that_torch_has_not_is_refused_where_it_was_named(workspace: Path, device: str) -> None:
    assert "CONSOLE_DEVICE" in refused(workspace, CONSOLE_DEVICE=device).message
    assert settings.FILE in refused(workspace, f'device = "{device}"').message


def test_a_precision_that_models_cannot_have_is_refused_where_it_was_named(workspace: Path) -> None:
    found = refused(workspace, CONSOLE_PRECISION="int8")
    assert "CONSOLE_PRECISION" in found.message
    assert found.remedy == "Use one of: auto, float32, float16, bfloat16."
    assert settings.FILE in refused(workspace, 'precision = "half"').message


def test_precision_and_the_time_after_which_models_leave_are_read_from_the_top_of_the_file(workspace: Path) -> None:
    found = read(workspace, 'precision = "float16"\nunload_after = 0\n')
    assert (found.precision, found.unload_after) == ("float16", 0)
    usual = read(workspace, "")
    assert (usual.precision, usual.unload_after) == ("auto", 900)
    assert "unload_after" in refused(workspace, "unload_after = -1").message


def test_a_role_that_does_not_exist_is_refused_with_those_that_do(workspace: Path) -> None:
    assert "viewer, judge, operator, admin" in refused(workspace, CONSOLE_ROLE="root").remedy


def test_without_a_login_name_the_actor_is_the_operator(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise OSError("no such user")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert read(workspace).actor == "operator"


def test_the_server_answers_to_this_machine_and_to_the_hosts_of_the_environment() -> None:
    assert settings.allowed_hosts({}) == ("127.0.0.1", "localhost")
    hosts = {"CONSOLE_ALLOWED_HOSTS": " console.example , ,other.example"}
    assert settings.allowed_hosts(hosts) == ("127.0.0.1", "localhost", "console.example", "other.example")


def test_a_reference_to_the_environment_stands_for_its_value_wherever_a_text_may_stand(workspace: Path) -> None:
    text = '[store]\nurl = "https://${HOST}:6333"\napi_key = "${KEY}"\n[query_lab]\nexamples = ["a ${HOST}"]\n'
    found = read(workspace, text, HOST="qdrant.internal", KEY="k3y")
    assert found.store.url == "https://qdrant.internal:6333"
    assert found.store.api_key == "k3y"
    assert found.examples == ("a qdrant.internal",)


def test_a_reference_to_a_variable_that_is_not_set_is_named_with_the_setting(workspace: Path) -> None:
    with pytest.raises(SettingsError, match=r"store\.api_key in .* refers to the environment variable KEY"):
        read(workspace, '[store]\napi_key = "${KEY}"\n')


def test_a_dollar_sign_alone_is_only_a_dollar_sign(workspace: Path) -> None:
    assert read(workspace, '[store]\napi_key = "pa$$word$"\n').store.api_key == "pa$$word$"


def test_the_token_of_the_search_api_comes_from_the_environment_or_the_file_and_is_never_shown(workspace: Path) -> None:
    assert read(workspace).api_token == ""
    found = read(workspace, '[api]\ntoken = "${SEARCH}"\n', SEARCH="a" * 32)
    assert found.api_token == "a" * 32
    assert "a" * 32 not in repr(found)
    assert read(workspace, f'[api]\ntoken = "{"a" * 32}"\n', CONSOLE_API_TOKEN="b" * 32).api_token == "b" * 32
    assert read(workspace, "[api]\nenabled = false\n", CONSOLE_API_TOKEN="b" * 32).api_token == ""


@pytest.mark.parametrize("token", ["abc", "a" * 16 + " b", "é" * 20, "a\n" * 16])
def test_a_token_that_could_be_guessed_or_not_be_sent_is_refused_without_telling_it(
    workspace: Path, token: str
) -> None:
    with pytest.raises(SettingsError, match="openssl rand") as refused:
        read(workspace, CONSOLE_API_TOKEN=token)
    assert token not in str(refused.value)


TABLE = '[catalog]\nlocation = "sqlite:///app.db"\ntable = "images"\n'


def test_the_embedding_column_and_that_of_its_model_are_read_from_the_catalog(workspace: Path) -> None:
    catalog = read(workspace, f'{TABLE}embedding = "vec tor"\nembedding_model = "made by"').catalog
    assert (catalog.embedding, catalog.embedding_model) == ("vec tor", "made by")
    catalog = read(workspace, TABLE).catalog
    assert (catalog.embedding, catalog.embedding_model) == ("", "")


@pytest.mark.parametrize("given", ["embedding", "embedding_model"])
def test_one_of_the_two_embedding_columns_without_the_other_is_refused(workspace: Path, given: str) -> None:
    error = refused(workspace, f'{TABLE}{given} = "x"')
    lacking = {"embedding": "embedding_model", "embedding_model": "embedding"}[given]
    assert f"names {given}, but not {lacking}" in error.message
    assert "or neither" in error.remedy


@pytest.mark.parametrize("location", ["photos", "list.csv"])
def test_an_embedding_column_of_a_catalog_that_is_no_table_is_refused(workspace: Path, location: str) -> None:
    text = f'[catalog]\nlocation = "{location}"\nembedding = "a"\nembedding_model = "b"'
    assert "has none that could be written" in refused(workspace, text).message
