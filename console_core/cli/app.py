"""The commands. Their names and JSON keys are a contract."""

import os
import socket
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from console_core.cli import (
    backups,
    encoder,
    evaluating,
    failures,
    generating,
    ingesting,
    judging,
    losses,
    making,
    manners,
    moving,
    runs,
    searching,
    sharing_out,
    verification,
)
from console_core.cli.catalog import catalog
from console_core.cli.foreground import Chosen, actor_of, all_in_foreground, in_foreground, opened
from console_core.cli.importing import FromEnv, FromEnvironment, answers_json, import_variables
from console_core.cli.output import Json, collection_json, finish, finish_all, progress_bar, run_json, show, told
from console_core.cli.planning import IntoTarget, To, must_name_a_model, plan_lines, requests_of
from console_core.cli.statistics import column_lines, stats_by_model
from console_core.cli.store import store
from console_core.cli.tuning import AlwaysRam, Candidates, EdgesOfANode, Int8, Quantile, Quantization, tuning_of
from console_core.commands import Started, command
from console_core.console import Console
from console_core.demo.workspace import prepare
from console_core.embedding.preprocessing import Mode
from console_core.errors import Refused
from console_core.migration.findings import Request
from console_core.migration.ingest import KIND as INGEST
from console_core.migration.preflight import preflights
from console_core.runs.types import Run, RunState
from console_core.runs.wording import percent
from console_core.settings import read, workspace_folder

HELP = "Move an image collection from one embedding model to another without ever breaking search."

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=HELP)
for topic in (
    *(making, runs, verification, encoder, losses, moving, sharing_out, failures),
    *(manners, backups, ingesting, searching, generating, judging, evaluating),
):
    topic.register(app)
app.add_typer(store, name="store")
app.add_typer(catalog, name="catalog")
ImageOnly = Annotated[bool, typer.Option("--image-only", help="People search by picture only, never by text.")]
InPlace = Annotated[
    bool, typer.Option("--in-place", help="The application cannot search an alias; the collection's name shall pass.")
]
InMode = Annotated[
    Mode, typer.Option("--mode", help="How pictures are decoded: bit for bit, as usual, or large JPEGs smaller.")
]
Also = Annotated[
    list[str] | None,
    typer.Option("--also", help="A further model, built from the same decoding of each picture; can be repeated."),
]
ROOT = Path(__file__).resolve().parent.parent.parent


@app.callback()
def choose_workspace(workspace: Annotated[Path | None, typer.Option(help="The workspace folder.")] = None) -> None:
    Chosen.workspace = workspace_folder(workspace)


@app.command()
def demo(as_json: Json = False, pictures: Annotated[int, typer.Option(help="How many pictures.")] = 1200) -> None:
    """Prepare the demo workspace: pictures, catalog, and a collection filled by the demo CLIP model."""
    with told(), progress_bar("Preparing the demo") as advance:
        report = prepare(Chosen.workspace, progress=advance, pictures=pictures)
    show(asdict(report), as_json, [f"The demo workspace is ready in {Chosen.workspace}."])


@app.command()
def collections(as_json: Json = False) -> None:
    """Every collection with its dimension, points, model and aliases."""
    with opened() as console:
        found = [collection_json(info) for info in console.store.collections()]
    lines = [
        f"{c['name']}  {c['dimension']}-d {c['distance']}  {c['points']:,} points  "
        f"{c['model'] or 'unknown model'}  {', '.join(c['aliases']) or 'no alias'}"
        for c in found
    ]
    show(found, as_json, lines or ["No collections yet."])


@app.command()
def stats(as_json: Json = False) -> None:
    """Per model: how much of the catalog is embedded, and how the embedding column compares. Measured now."""
    with told():
        looks_only = read(Chosen.workspace).role == "viewer"
    with opened(owner="" if looks_only else "embedding-console stats") as console:
        result, unmeasured = stats_by_model(console)
    lines = [
        f"{model}: {s['with_embedding']:,} of {s['total']:,} ({percent(s['with_embedding'] / max(s['total'], 1))}), "
        f"{s['failed']:,} failed, in {s['collection']}"
        + (f" (also: {', '.join(s['other_collections'])})" if s["other_collections"] else "")
        for model, s in result.items()
    ]
    lines += [line for s in result.values() if "column" in s for line in column_lines(s["collection"], s["column"])]
    show(result, as_json, lines or ["No collection could be measured." if unmeasured else "No collections yet."])
    for name, error in unmeasured.items():
        typer.secho(f"{name} could not be measured. {error.message}", fg="red", err=True)
        typer.echo(error.remedy, err=True)
    if unmeasured:
        raise typer.Exit(1)


@app.command()
def model(key: str, as_json: Json = False) -> None:
    """Load a model, downloading its weights where they are not on this machine, and show what it is and embeds."""
    with opened() as console:
        embedder = console.models.get(key)
        found = {**asdict(embedder.card), "device": embedder.device, "fingerprint": embedder.fingerprint.digest}
    searched = "text and pictures" if found["has_text"] else "pictures only"
    title = f"{found['title']}  {found['dimension']}-d  {searched}  {found['device']}  {found['fingerprint']}"
    template = [f"A query is embedded as: {found['template']}"] if found["template"] else []
    show(found, as_json, [title, *template])


@app.command()
def plan(
    alias: str,
    to: To = "",
    also: Also = None,
    target: IntoTarget = "",
    image_only: ImageOnly = False,
    in_place: InPlace = False,
    mode: InMode = Mode.FAST,
    m: EdgesOfANode = None,
    ef_construct: Candidates = None,
    int8: Int8 = False,
    quantization: Quantization = "",
    quantile: Quantile = None,
    always_ram: AlwaysRam = False,
    from_env: FromEnv = None,
    from_environment: FromEnvironment = False,
    as_json: Json = False,
) -> None:
    """What a migration would find and do. Nothing is written."""
    tuning = tuning_of(m, ef_construct, int8, quantization, quantile, always_ram)
    asked = Request(alias, to, target=target, text_search=not image_only, in_place=in_place, mode=mode, tuning=tuning)
    must_name_a_model(to, from_env, from_environment)
    with opened(dry=True) as console:
        taken = import_variables(console, from_env, from_environment, alias=alias, model=to, target=target)
        found = preflights(console.preflight_parts(alias), requests_of(taken.into(asked), also))
    documents = [one.as_json() | answers_json(taken) for one in found]
    lines = [*map(str, taken.answers), *(line for one in found for line in plan_lines(one))]
    show(documents if also else documents[0], as_json, lines)
    if any(one.blocked for one in found):
        raise typer.Exit(1)


@app.command()
def migrate(
    alias: str,
    to: To = "",
    also: Also = None,
    target: IntoTarget = "",
    image_only: ImageOnly = False,
    in_place: InPlace = False,
    mode: InMode = Mode.FAST,
    m: EdgesOfANode = None,
    ef_construct: Candidates = None,
    int8: Int8 = False,
    quantization: Quantization = "",
    quantile: Quantile = None,
    always_ram: AlwaysRam = False,
    from_env: FromEnv = None,
    from_environment: FromEnvironment = False,
    as_json: Json = False,
) -> None:
    """Build the parallel collection and verify it, in the foreground. Traffic stays where it is."""
    tuning = tuning_of(m, ef_construct, int8, quantization, quantile, always_ram)
    asked = Request(alias, to, target=target, text_search=not image_only, in_place=in_place, mode=mode, tuning=tuning)
    must_name_a_model(to, from_env, from_environment)
    with opened(owner="embedding-console migrate") as console:
        taken = import_variables(console, from_env, from_environment, alias=alias, model=to, target=target)
        requests = requests_of(taken.into(asked), also)
        for answer in taken.answers:
            typer.echo(str(answer), err=True)
        if also:
            begun: list[Started] = command(console, actor_of(console), "start_migrations", requests=requests)
            built = all_in_foreground(console, [one.run for one in begun], f"Embedding with {len(begun)} models")
            finish_all([_verified(console, run) for run in built], as_json)
        else:
            started: Started = command(console, actor_of(console), "start_migration", request=requests[0])
            run = in_foreground(console, started.run, f"Embedding into {started.run.target}")
            _finish_build(console, run, as_json)


@app.command()
def resume(run: str, as_json: Json = False) -> None:
    """Go on with a stopped run from its checkpoint, in the foreground; a build is then verified."""
    with opened(owner="embedding-console resume") as console:
        asked: Run = command(console, actor_of(console), "resume", run=run)
        finished = in_foreground(console, asked, asked.title)
        if finished.kind == "reembed":
            _finish_build(console, finished, as_json)
        elif finished.kind == INGEST:
            ingesting.finish_ingestion(console, finished, as_json)
        elif finished.kind == "repair":
            verified = verification.verified_again(console, finished)
            verdict = (verified.result or {}).get("verdict") if verified is not None else None
            finish(run_json(finished) | ({"verdict": verdict} if verdict else {}), verdict == "green", as_json)
        elif finished.kind == "generate":
            generating.finish_generation(console, finished, as_json)
        else:
            finish(run_json(finished), finished.state is RunState.SUCCEEDED, as_json)


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The console's port.")] = 8501,
    address: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Open the console in the browser's reach."""
    with told():
        read(Chosen.workspace)
        _refuse_used_port(address, port)
        script = ROOT / "app.py"
        if not script.is_file():
            raise Refused(f"{script} is missing.", "Run from a checkout of the project: `make demo`.")
    print(
        f"The console opens at http://{address}:{port}  (Ctrl+C stops it; runs go on when it is started again)",
        flush=True,
    )
    os.environ["CONSOLE_WORKSPACE"] = str(Chosen.workspace)
    os.chdir(ROOT)
    options = ["--server.port", str(port), "--server.address", address]
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", str(script), *options])


def main() -> None:
    app()


def _finish_build(console: Console, run: Run, as_json: bool) -> None:
    result = _verified(console, run)
    finish(result, result.get("verdict") == "green", as_json)


def _verified(console: Console, run: Run) -> dict[str, Any]:
    """A build's run, brought in step and verified where it succeeded."""
    result = run_json(run)
    if run.state is RunState.SUCCEEDED:
        behind = command(console, actor_of(console), "catch_up", collection=run.target)
        if isinstance(behind, Run):
            in_foreground(console, behind, behind.title)
        check = command(console, actor_of(console), "verify", collection=run.target)
        verified = in_foreground(console, check, f"Verifying {run.target}")
        result |= {"verify_run": verified.id, "verdict": (verified.result or {}).get("verdict", verified.state.value)}
    return result


def _refuse_used_port(address: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise Refused(
                f"Port {port} on {address} cannot be used: {error.strerror or error}.",
                "Stop what uses it, or choose another one with --port.",
            ) from error
