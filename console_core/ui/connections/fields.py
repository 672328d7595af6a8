"""What can be edited of console.toml, as plain data: one line for each setting, one form for each section."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from console_core.settings.changing import Value

Kind = Literal["text", "address", "secret", "number", "truth", "choice", "columns", "lines", "headers", "prefixed"]
"""How a setting is asked for.

`address` may have a password in it, and `secret` is one: both are told without it, and take `${NAME}` for it. `columns`
are names, and `lines` one text each; the first of them is the setting `name`, the others are `rest`. `headers` are
lines of a name and a value, of which only references are shown. `prefixed` is one of a few beginnings with a text
behind it.
"""


@dataclass(frozen=True, slots=True)
class Field:
    """One setting. `options` are the values of a choice, or the beginnings, with what they are called.

    It is asked for where the form's first choice, or the kind of one of its first addresses, is one of `only`, always
    where that is empty, and folded away with `more`. Where it is changed `with_kind`, the setting `kind` is written
    too, for the file may leave that to guess. It is drawn `beside` the one before it. Where `one_is_text`, a single
    name is written as a text and not as a list.
    """

    name: str
    label: str
    kind: Kind = "text"
    help: str = ""
    default: Value = ""
    example: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    least: int = 0
    rest: str = ""
    only: tuple[str, ...] = ()
    more: bool = False
    needed: bool = False
    with_kind: bool = False
    beside: bool = False
    one_is_text: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A section of the file; one with `entry`, which says what an entry is called, has any number of them."""

    key: str
    title: str
    section: tuple[str, ...]
    lead: str
    fields: tuple[Field, ...]
    entry: str = ""
    entry_help: str = ""


STORE = Form(
    "store",
    "Vector store",
    ("store",),
    "Where vectors are. What is in the store that is used now stays where it is.",
    (
        Field(
            "url",
            "Address",
            "address",
            "A server: grpc://host:6334 or http(s)://host:6333. A folder of this workspace: local:qdrant for up to "
            "20,000 points, edge:qdrant-edge for up to a million. PostgreSQL: postgresql://user@host/database. Plain "
            "bytes in SQLite: sqlite:///app.db.",
            default="local:qdrant",
            example="grpc://qdrant.internal:6334",
            needed=True,
        ),
        Field(
            "api_key",
            "Key or password",
            "secret",
            "Of a Qdrant server, or of a PostgreSQL role.",
            example="QDRANT_API_KEY",
        ),
        Field("timeout", "Seconds for an answer", "number", default=30, least=1),
        Field("retries", "Tries after the first", "number", default=3, beside=True),
    ),
)

_SQL = ("sql",)
_TABLES = ("sql", "table")
_FIELDS = ("sql", "table", "collection")
CATALOG = Form(
    "catalog",
    "Catalog",
    ("catalog",),
    "Which pictures exist. It is only read.",
    (
        Field(
            "kind",
            "What lists the pictures",
            "choice",
            options={
                "sql": "A table or view of a database",
                "folder": "A folder",
                "list": "An image list",
                "table": "A CSV, TSV or Parquet file",
                "collection": "The payload of a collection",
            },
        ),
        Field(
            "location",
            "Where it is",
            "address",
            "A database: sqlite:///catalog.db, postgresql+psycopg://reader@db.internal/app. A folder, a file with a "
            "line path,label for each picture, or a table in a file: a path, relative ones start from the workspace. "
            "Of a collection the alias that is migrated.",
            default="images",
            example="postgresql+psycopg://reader@db.internal/app",
            needed=True,
            with_kind=True,
        ),
        Field("table", "Table or view", help="With its schema in front where it needs one.", only=_SQL),
        Field(
            "key",
            "Key",
            "columns",
            "What identifies a row for ever, alone or together.",
            ["id"],
            only=_TABLES,
            one_is_text=True,
        ),
        Field("paths", "Paths", "columns", "Columns with the picture's path, in the order to try.", [], only=_FIELDS),
        Field("payload", "Carried along", "columns", "Columns that are copied onto each point.", [], only=_FIELDS),
        Field("facets", "Chosen by", "columns", "Columns by which a part can be chosen.", [], only=_FIELDS),
        Field("tenant", "Whose it is", help="The column that says so: the first to choose a part by.", only=_FIELDS),
        Field("updated_at", "Changed at", help="The column that tells when a row changed.", only=_FIELDS, beside=True),
        Field("embedding", "Vector", help="A binary column that `generate` keeps in step.", only=_SQL, more=True),
        Field("embedding_model", "Model of the vector", help="The column with its name.", only=_SQL, more=True),
        Field("recursive", "With its subfolders", "truth", default=True, only=("folder",)),
    ),
)

_SERVERS = ("http", "https", "s3")
IMAGES = Form(
    "images",
    "Images",
    ("images",),
    "Where pictures lie. Nothing outside is read.",
    (
        Field(
            "root",
            "Places",
            "lines",
            "One in each line: a folder, http(s)://host/prefix/ or s3://bucket/prefix/. Relative paths of the catalog "
            "start from the first; relative folders from here.",
            ["images"],
            example="/srv/pictures",
            rest="also",
            needed=True,
        ),
        Field(
            "http.headers",
            "Headers for those servers",
            "headers",
            "One in each line, with a reference for the secret: Authorization: Bearer ${NAME}. No other server gets "
            "them.",
            [],
            example="Authorization: Bearer ${NAME}",
            only=("http", "https"),
        ),
        Field("largest", "MiB of a picture at most", "number", default=100, least=1, more=True),
        Field("timeout", "Seconds without progress", "number", default=30, least=1, only=_SERVERS, more=True),
        Field("retries", "Tries after the first", "number", default=4, only=_SERVERS, more=True, beside=True),
        Field("at_once", "Transfers at once", "number", default=32, least=1, only=_SERVERS, more=True, beside=True),
    ),
)

S3 = Form(
    "s3",
    "Object storage",
    ("images", "s3"),
    "For places that begin with s3://. Without keys Amazon's own variables are used.",
    (
        Field("endpoint_url", "Endpoint", help="Of Supabase storage, MinIO and the like; none: Amazon's own."),
        Field("region", "Region", example="eu-central-1", beside=True),
        Field("key", "Key", "secret"),
        Field("secret", "Secret", "secret"),
        Field("anonymous", "Without a key", "truth", default=False),
    ),
)

MODEL = Form(
    "models",
    "Model",
    ("models",),
    "Preprocessing and tokenizer come from the model itself.",
    (
        Field(
            "architecture",
            "What it is",
            "prefixed",
            "The name of the architecture, or the folder with open_clip_config.json, weights and tokenizer.",
            options={
                "": "An architecture of open_clip",
                "timm:": "A model of timm, which embeds pictures only",
                "local-dir:": "A folder with a model",
            },
            example="ViT-B-32",
            needed=True,
        ),
        Field(
            "weights",
            "Weights",
            help="A tag that open_clip has for the architecture, or the path of a checkpoint. None for a folder.",
            example="laion2b_s34b_b79k",
        ),
        Field("title", "Title", help="What people call it.", example="Our fine-tuned CLIP"),
        Field(
            "template", "Text template", help="What a query is embedded as, with {} for it.", example="a photo of {}"
        ),
    ),
    entry="Key",
    entry_help="By this name plans and collections know the model. It cannot be changed later.",
)

TABLE = Form(
    "tables",
    "Table of vectors",
    ("store", "tables"),
    "A table of your application's, in the database that is the store. Its vector columns are collections.",
    (
        Field("table", "Table", help="With its schema in front where it needs one.", example="public.photos"),
        Field("key", "Key", help="A column of whole numbers or UUIDs.", default="id", beside=True),
        Field("vector", "Vector column", help="The one that the application searches.", default="embedding"),
        Field(
            "distance",
            "Distance",
            "choice",
            default="cosine",
            beside=True,
            options={"cosine": "Cosine", "dot": "Inner product", "euclid": "Euclidean", "manhattan": "Manhattan"},
        ),
        Field("payload", "Shown with a vector", "columns", "None: all that can be shown.", [], more=True),
        Field("functions", "Functions that follow", "columns", "None: those that speak of both.", [], more=True),
    ),
    entry="Name",
    entry_help="Its collections are called by this and the column: name.column.",
)

API = Form(
    "api",
    "Search API",
    ("api",),
    "Programs search over HTTP with a token that they send. Without one nobody can.",
    (
        Field("enabled", "Answer searches over HTTP", "truth", default=True),
        Field("token", "Token", "secret", "Make one with: openssl rand -hex 32.", example="SEARCH_TOKEN"),
    ),
)

FORMS: Mapping[str, Form] = {form.key: form for form in (STORE, CATALOG, IMAGES, S3, MODEL, TABLE, API)}
