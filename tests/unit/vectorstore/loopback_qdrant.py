"""A small Qdrant on loopback: real HTTP and JSON in front of the embedded engine, and able to fail when told to.

It makes the server adapter run the whole store contract where no Qdrant server is installed. What only a real server
does (an index, a cluster, its own error texts) is not imitated; those tests run with QDRANT_URL.
"""

import hashlib
import json
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import RLock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import BaseModel, TypeAdapter
from qdrant_client import QdrantClient, models


@dataclass(frozen=True, slots=True)
class Fault:
    """What one request gets instead of an answer: the next one, or the next with the method `only`.

    It comes `after` seconds; `done`: the request took effect all the same.
    """

    status: int = 500
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0
    done: bool = False
    only: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any = None


class Accepted:
    """The answer to what is done later (`wait=false`): no result, and the status 202."""


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A snapshot as a server keeps it: here the collection's configuration and points as JSON."""

    description: models.SnapshotDescription
    content: bytes

    @classmethod
    def of(cls, engine: QdrantClient, name: str, number: int) -> "SnapshotFile":
        config = engine.get_collection(name).config
        records, _ = engine.scroll(name, limit=100_000, with_vectors=True)
        plain = {
            "vectors": TypeAdapter[Any](models.VectorsConfig).dump_python(config.params.vectors, mode="json"),
            "metadata": config.metadata,
            "points": [[record.id, record.vector, record.payload] for record in records],
        }
        content = json.dumps(plain).encode()
        told = models.SnapshotDescription(
            name=f"{name}-{number}-2026-11-01-12-00-00.snapshot",
            creation_time=f"2026-11-01T12:00:{number:02}",
            size=len(content),
            checksum=hashlib.sha256(content).hexdigest(),
        )
        return cls(told, content)

    @staticmethod
    def recover(
        engine: QdrantClient, name: str, content: bytes, priority: list[str] | None, checksum: list[str] | None
    ) -> bool:
        """With another priority than "snapshot" a new collection stays empty, as on a real server."""
        if checksum and checksum[0] != hashlib.sha256(content).hexdigest():
            raise ValueError("Wrong input: snapshot checksum mismatch")
        plain = json.loads(content)
        vectors = TypeAdapter[Any](models.VectorsConfig).validate_python(plain["vectors"])
        engine.create_collection(name, vectors_config=vectors, metadata=plain["metadata"])
        if priority == ["snapshot"] and plain["points"]:
            points = [
                models.PointStruct(id=i, vector=vector, payload=payload) for i, vector, payload in plain["points"]
            ]
            engine.upsert(name, points)
        return True


class LoopbackQdrant:
    """`faults` are used up in their order, one a request; `requests` are all that came.

    `strict` are the strict modes of collections, `thresholds` their indexing thresholds in kB, and `of_vectors` the
    settings of their named vectors, which the embedded engine does not have.
    """

    def __init__(self, version: str = "1.20.0", keeps_metadata: bool = True) -> None:
        self.version = version
        self.keeps_metadata = keeps_metadata
        self.faults: deque[Fault] = deque()
        self.requests: list[Request] = []
        self.strict: dict[str, models.StrictModeConfigOutput] = {}
        self.thresholds: dict[str, int] = {}
        self.engine = QdrantClient(":memory:", force_disable_check_same_thread=True)
        self.alone = RLock()
        self._created: dict[str, models.CreateCollection] = {}
        self.of_vectors: dict[str, dict[str, models.VectorParamsDiff]] = {}
        self.snapshots: dict[str, dict[str, SnapshotFile]] = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator["LoopbackQdrant"]:
        thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            self.engine.close()

    def answer(self, method: str, path: str, body: Any) -> Any:
        engine = self.engine
        match method, [unquote(part) for part in urlsplit(path).path.strip("/").split("/")]:
            case "GET", [""]:
                return {"title": "qdrant - vector search engine", "version": self.version}
            case "GET", ["collections"]:
                return engine.get_collections()
            case "GET", ["aliases"]:
                return engine.get_aliases()
            case "POST", ["collections", "aliases"]:
                return engine.update_collection_aliases(models.ChangeAliasesOperation(**body).actions)
            case "GET", ["collections", name]:
                return self._described(name)
            case "PUT", ["collections", name]:
                wanted = models.CreateCollection(**body)
                metadata = wanted.metadata if self.keeps_metadata else None
                done = engine.create_collection(name, vectors_config=wanted.vectors, metadata=metadata)
                self._created[name] = wanted
                self.thresholds.pop(name, None)
                return done
            case "PATCH", ["collections", name]:
                change = models.UpdateCollection(**body)
                changed = TypeAdapter(dict[str, models.VectorParamsDiff]).validate_python(body.get("vectors") or {})
                if change.optimizers_config and change.optimizers_config.indexing_threshold is not None:
                    self.thresholds[name] = change.optimizers_config.indexing_threshold
                metadata = change.metadata if self.keeps_metadata else None
                self.of_vectors.setdefault(name, {}).update(changed)
                return engine.update_collection(name, metadata=metadata, vectors_config=changed) or True
            case "DELETE", ["collections", name]:
                return engine.delete_collection(name)
            case "PUT", ["collections", name, "vectors", vector]:
                return engine.create_vector_name(name, vector, models.DenseVectorNameConfig(**body))
            case "DELETE", ["collections", name, "vectors", vector]:
                self.of_vectors.get(name, {}).pop(vector, None)
                return engine.delete_vector_name(name, vector)
            case "GET", ["collections", name, "snapshots"]:
                engine.get_collection(name)
                return [made.description for made in self.snapshots.get(name, {}).values()]
            case "POST", ["collections", name, "snapshots"]:
                made = SnapshotFile.of(engine, name, len(self.snapshots.get(name, {})))
                self.snapshots.setdefault(name, {})[made.description.name] = made
                return Accepted() if "wait=false" in path else made.description
            case "GET", ["collections", name, "snapshots", wanted] if wanted in self.snapshots.get(name, {}):
                return self.snapshots[name][wanted].content
            case "DELETE", ["collections", name, "snapshots", wanted] if wanted in self.snapshots.get(name, {}):
                del self.snapshots[name][wanted]
                return True
            case "POST", ["collections", name, "snapshots", "upload"]:
                options = parse_qs(urlsplit(path).query)
                return SnapshotFile.recover(engine, name, body, options.get("priority"), options.get("checksum"))
            case "PUT", ["collections", name, "points"]:
                return engine.upsert(name, points=models.PointsBatch(**body).batch)
            case "POST", ["collections", name, "points"]:
                asked = models.PointRequest(**body)
                return engine.retrieve(name, asked.ids, with_payload=True, with_vectors=asked.with_vector or False)
            case "POST", ["collections", name, "points", "delete"]:
                return engine.delete(name, TypeAdapter[Any](models.PointsSelector).validate_python(body))
            case "POST", ["collections", name, "points", "batch"]:
                return engine.batch_update_points(name, models.UpdateOperations(**body).operations)
            case "POST", ["collections", name, "points", "vectors", "delete"]:
                without = models.DeleteVectors(**body)
                return engine.delete_vectors(name, without.vector, without.points or without.filter or [])
            case "POST", ["collections", name, "points", "payload", "delete"]:
                fields = models.DeletePayload(**body)
                return engine.delete_payload(name, fields.keys, fields.points or fields.filter or [])
            case "POST", ["collections", name, "points", "scroll"]:
                read = models.ScrollRequest(**body)
                records, following = engine.scroll(
                    name,
                    read.filter,
                    limit=read.limit or 10,
                    offset=read.offset,
                    with_vectors=read.with_vector or False,
                )
                return models.ScrollResult(points=records, next_page_offset=following)
            case "POST", ["collections", name, "points", "count"]:
                return engine.count(name, count_filter=models.CountRequest(**(body or {})).filter)
            case "POST", ["collections", name, "points", "query"]:
                query = models.QueryRequest(**body)
                return engine.query_points(
                    name, query=query.query, using=query.using, query_filter=query.filter, limit=query.limit or 10
                )
        raise ValueError(f"Not found: {method} {path}")

    def _described(self, name: str) -> models.CollectionInfo:
        """With what was asked for at its creation, which the embedded engine forgets and a server keeps."""
        info = self.engine.get_collection(name)
        created = self._created.get(name)
        if created and created.hnsw_config:
            wished = created.hnsw_config.model_dump(exclude_none=True)
            info.config.hnsw_config = info.config.hnsw_config.model_copy(update=wished)
        if created:
            info.config.quantization_config = created.quantization_config
        vectors = info.config.params.vectors
        for named, diff in self.of_vectors.get(name, {}).items():
            if isinstance(vectors, dict) and named in vectors:
                told = diff.model_dump(exclude_none=True)
                vectors[named] = models.VectorParams(**{**vectors[named].model_dump(), **told})
        if name in self.thresholds:
            info.config.optimizer_config.indexing_threshold = self.thresholds[name]
        info.config.strict_mode_config = self.strict.get(name)
        return info


def _handler(server: LoopbackQdrant) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self._body(length)
            server.requests.append(Request(self.command, self.path, dict(self.headers.items()), body))
            meant = server.faults and server.faults[0].only in ("", self.command)
            fault = server.faults.popleft() if meant else None
            if fault:
                if fault.done:
                    self._result(body)
                time.sleep(fault.after)
                said = fault.body if fault.body is not None else {"status": {"error": "it was told to fail"}, "time": 0}
                return self._send(fault.status, said, fault.headers)
            return self._send(*self._result(body))

        def _body(self, length: int) -> Any:
            """JSON, or the one file of an upload."""
            if "multipart" not in self.headers.get("Content-Type", ""):
                return json.loads(self.rfile.read(length)) if length else None
            kind = self.headers["Content-Type"].encode()
            form: Any = BytesParser().parsebytes(b"Content-Type: " + kind + b"\r\n\r\n" + self.rfile.read(length))
            (file,) = form.get_payload()
            return file.get_payload(decode=True)

        do_PUT = do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815

        def _result(self, body: Any) -> tuple[int, Any]:
            try:
                with server.alone:
                    result = server.answer(self.command, self.path, body)
            except (ValueError, KeyError) as error:
                missing = isinstance(error, KeyError)
                text = f"Not found: No point with id {error} found" if missing else str(error)
                status = 404 if "not found" in text.lower() else 409 if "already exists" in text else 400
                return status, {"status": {"error": text}, "time": 0}
            if isinstance(result, bytes):
                return 200, result
            if isinstance(result, Accepted):
                return 202, {"status": "accepted", "time": 0}
            plain = TypeAdapter[Any](type(result)).dump_python(result, mode="json") if result is not None else None
            if isinstance(result, list):
                plain = [item.model_dump(mode="json") if isinstance(item, BaseModel) else item for item in result]
            return 200, plain if self.path == "/" else {"result": plain, "status": "ok", "time": 0}

        def _send(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            try:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):  # the client has stopped waiting
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler
