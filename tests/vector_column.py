"""An application whose own table has a vector column, as docs/vector-column.md says, and a workspace beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from PIL import Image

from console_core import settings
from tests.conftest import PICTURES, make_workspace
from tests.how_to import blocks
from tests.lifecycle.workspaces import opened
from tests.postgres import Postgres

GUIDE = "vector-column.md"
OLD, NEW = "images.embedding_128", "images.embedding__demo-siglip"
INSTEAD = {
    "megadescriptor-l-384": "demo-siglip",
    "clip-vit-b-32-openai": "demo-clip",
    "512": "128",
    "1536": "192",
}
"""The guide's models, and small ones that are here."""


@dataclass
class Guided:
    """A workspace as the guide says, and the application beside it, which knows nothing of the console."""

    workspace: Path
    app: psycopg.Connection
    schema: str

    def near(self, key: int) -> list[int]:
        """What the application finds for one of its own pictures, by its function and without an index: IVFFlat looks
        at one list of a hundred, and the planner does not always take it."""
        self.app.execute("SET enable_indexscan = off")
        query = "SELECT m.id FROM images i, LATERAL match_images(i.embedding, 5) m WHERE i.id = %s"
        return [row[0] for row in self.app.execute(query, (key,)).fetchall()]

    def columns(self) -> dict[str, str]:
        query = (
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'images'::regclass "
            "AND attnum > 0 AND NOT attisdropped"
        )
        return dict(self.app.execute(query).fetchall())


@contextmanager
def guided_by(postgres: Postgres, url: str, folder: Path, pictures: int = PICTURES) -> Iterator[Guided]:
    """The guide's table with so many pictures, and vectors of demo-clip; the console's own schema is at the URL."""
    workspace = make_workspace(folder, pictures)
    (statements,) = blocks(GUIDE, "sql", INSTEAD)
    (configured,) = blocks(GUIDE, "toml", INSTEAD)
    with postgres.application(statements) as schema, postgres.connect() as app:
        app.execute(f"SET search_path TO {schema}, public".encode())
        catalog = url.replace("postgresql:", "postgresql+psycopg:", 1).rpartition("&schema=")[0]
        configured = configured.replace("postgresql+psycopg://console@db.internal/app", catalog)
        configured = configured.replace("postgresql://console@db.internal/app", url)
        configured = configured.replace("public.images", f"{schema}.images").replace('"images"', f'"{schema}.images"')
        configured = configured.replace("/srv/pictures", str(workspace / "images"))
        (workspace / settings.FILE).write_text(configured + "[rollout]\nfollow_every = 3600\n")
        with opened(workspace) as console:
            embedder = console.models.get("demo-clip")
            for number in range(1, pictures + 1):
                name = f"{number:04}.jpg"
                picture = Image.open(workspace / "images" / name).convert("RGB")
                vector = embedder.embed_images([embedder.preprocessing.exact(picture)])[0]
                app.execute(
                    "INSERT INTO images (path, title, embedding) VALUES (%s, %s, %s::real[]::vector)",
                    (name, f"square {number}", vector.tolist()),
                )
        yield Guided(workspace, app, schema)
