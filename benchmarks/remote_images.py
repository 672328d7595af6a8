"""What many transfers at once give where pictures come from a server: `python -m benchmarks.remote_images`.

A server in a process of its own answers each request after `--latency` milliseconds. The same pictures are read, and
run through the pipeline with a demo model, by one reader at a time, by as many as a disk gets, and by as many as the
image store says that it is good for; and from the folder itself, which is the most that there is to gain.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from benchmarks.throughput.images import Pictures, pictures
from console_core.catalog.local_files import READERS, LocalFiles
from console_core.catalog.opening import open_images
from console_core.catalog.types import ImageRow, ImageStore
from console_core.demo.cards import DEMO_CARDS
from console_core.embedding.loaded import LoadedModels
from console_core.embedding.registry import ModelCards
from console_core.embedding.types import Embedder
from console_core.engine.ordered import in_order
from console_core.engine.shape import Shape
from console_core.engine.threads import ThreadPipeline
from console_core.engine.types import Embedded
from console_core.settings import ImageSettings

SERVE = "--serve"
MODEL = "demo-clip"


async def serve(folder: Path, latency: float) -> None:
    """Answer GET for the files of a folder, each after `latency` seconds, and print the port."""
    files = {file.name: file.read_bytes() for file in folder.iterdir()}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError), closing(writer):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(latency)
                data = files.get(unquote(head.split(b" ", 2)[1].decode().rpartition("/")[2]))
                status = b"200 OK" if data is not None else b"404 Not Found"
                writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(data or b""), data or b""))
                await writer.drain()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


@contextmanager
def serving(folder: Path, latency: float) -> Iterator[str]:
    """The address of such a server in another process."""
    command = [sys.executable, "-m", "benchmarks.remote_images", SERVE, str(folder), "--latency", str(1000 * latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.kill()


def read(images: ImageStore, files: list[str], readers: int) -> float:
    """Pictures a second that so many threads read."""
    with ThreadPoolExecutor(readers) as pool:
        list(pool.map(images.read, files[:readers]))  # connections, and what is only done once
        began = time.perf_counter()
        list(pool.map(images.read, files))
    return len(files) / (time.perf_counter() - began)


def embed(images: ImageStore, files: list[str], readers: int, model: Embedder) -> float:
    """Pictures a second from the store to their vectors."""
    shape = replace(Shape.of([model]), readers=readers)
    rows = ((ImageRow(str(number), (file,), {}, ""), None) for number, file in enumerate(files))
    began = time.perf_counter()
    with closing(ThreadPipeline(images, [model], shape=shape, pictures=len(files))) as pipeline:
        for _, outcome in in_order(pipeline, rows, lambda: pipeline.capacity):
            assert isinstance(outcome, Embedded), outcome
    return len(files) / (time.perf_counter() - began)


def measured(found: Pictures, latency: float, number: int) -> list[dict[str, Any]]:
    """For each way of reading: pictures a second that were read, and that were embedded; and how many times those of
    one reader that is."""
    model = LoadedModels(ModelCards(DEMO_CARDS), "cpu").get(MODEL)
    model.expect(number)
    files = (list(found.files) * (number // len(found.files) + 1))[:number]
    local = LocalFiles((found.folder,))
    embed(local, files, READERS, model)  # what the first run of a model takes
    with serving(found.folder, latency) as address, closing(open_images(ImageSettings((address,)))) as images:
        cases: list[tuple[str, ImageStore, int, list[str]]] = [
            ("1 reader", images, 1, files[: max(8, number // 10)]),
            (f"{READERS} readers, as for a disk", images, READERS, files),
            (f"{images.readers} readers, as the store says", images, images.readers, files),
            ("the folder itself", local, READERS, files),
        ]
        rates = [(read(store, some, readers), embed(store, some, readers, model)) for _, store, readers, some in cases]
    alone = rates[0]
    return [
        {
            "case": case[0],
            "read": reading,
            "read_times": reading / alone[0],
            "embedded": embedding,
            "embedded_times": embedding / alone[1],
        }
        for case, (reading, embedding) in zip(cases, rates, strict=True)
    ]


def table(rows: list[dict[str, Any]], latency: float) -> str:
    lines = [f"| Answers after {1000 * latency:g} ms | Read | | With {MODEL} | |", "|---|---|---|---|---|"]
    for row in rows:
        lines.append(
            "| {case} | {read:,.0f}/s | {read_times:.1f} × | {embedded:,.0f}/s | {embedded_times:.1f} × |".format(**row)
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", default="synthetic:vga", help="synthetic:vga, fhd, 12mp or mix, or a folder")
    parser.add_argument("--number", type=int, default=2000, help="pictures, the same ones again where there are fewer")
    parser.add_argument("--latency", type=float, default=50.0, help="milliseconds before each answer")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(SERVE, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.serve, given.latency / 1000))
        return
    with tempfile.TemporaryDirectory() as scratch:
        found = pictures(given.pictures, Path(scratch))
        rows = measured(found, given.latency / 1000, given.number)
        print(
            json.dumps(rows)
            if given.json
            else f"{given.number:,} requests for {found}\n{table(rows, given.latency / 1000)}"
        )


if __name__ == "__main__":
    main()
