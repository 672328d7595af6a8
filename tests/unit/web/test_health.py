"""/healthz, /readyz and /metrics."""

import re
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from console_core.runs.types import Counts, Failure, Lane, Progress, RunState
from console_core.vectorstore.types import CollectionSpec
from console_core.web import process


def test_a_healthy_console_is_ready(client: TestClient) -> None:
    assert client.get("/healthz").text == "ok"
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "checks": {"ledger": "ok", "store": "ok", "worker": "ok"}}


def test_a_workspace_that_cannot_be_opened_says_why_and_the_process_stays_healthy(
    client: TestClient, workspace: Path
) -> None:
    process.stop()
    (workspace / "console.toml").write_text("[catalog]\nkind = 'carrier pigeon'\n")
    process.start()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "carrier pigeon" in answer.json()["checks"]["console"]
    assert 'console_up{part="ledger"} 0' in client.get("/metrics").text


def test_a_worker_that_has_ended_makes_the_console_not_ready(client: TestClient) -> None:
    worker = process.console().worker
    assert worker is not None
    worker.close()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "worker" in answer.json()["checks"]["worker"]


def test_the_metrics_count_runs_pictures_and_points(client: TestClient) -> None:
    console = process.console()
    assert console.worker is not None
    console.worker.close()
    console.store.create("plain", CollectionSpec(dimension=4))
    run = console.ledger.submit(
        kind="reembed", lane=Lane.ACCELERATOR, title="t", target='we"ird', spec={}, actor="me", selected=9, writes=True
    )
    console.ledger.claim(Lane.ACCELERATOR, "me")
    failed = (Failure("k1", "empty", "No bytes."), Failure("k2", "empty", "No bytes."))
    counts = Counts(selected=9, done=5, failed={"empty": 2})
    console.ledger.record(run.id, Progress("7", counts, failed))
    text = client.get("/metrics").text
    assert 'console_runs{state="running"} 1' in text
    assert 'console_runs{state="succeeded"} 0' in text
    assert 'console_pictures_embedded{target="we\\"ird"} 5' in text
    assert 'console_pictures_failed{target="we\\"ird",class="empty"} 2' in text
    assert 'console_collection_points{collection="plain"} 0' in text
    assert 'console_up{part="store"} 1' in text
    assert f'console_run_heartbeat_age_seconds{{run="{run.id}"}}' in text
    assert console.ledger.get(run.id).state is RunState.RUNNING


def test_every_line_of_the_metrics_is_prometheus_text(client: TestClient) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    sample = re.compile(r'[a-z_]+(\{([a-z]+="[^"\n]*",?)*\})? [0-9.e+-]+')
    lines = [line for line in answer.text.splitlines() if not line.startswith("# ")]
    assert lines
    assert [line for line in lines if not sample.fullmatch(line)] == []


@pytest.mark.usefixtures("client")
def test_memory_is_a_plausible_number_of_bytes(client: TestClient) -> None:
    (value,) = re.findall(r"^process_resident_memory_bytes (\S+)$", client.get("/metrics").text, re.MULTILINE)
    assert 10e6 < float(value) < 100e9


def test_a_ledger_whose_driver_is_missing_is_why_the_console_is_not_ready(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.stop()
    monkeypatch.setitem(sys.modules, "MySQLdb", None)
    monkeypatch.setenv("CONSOLE_LEDGER_URL", "mysql://olga@host/books")
    process.start()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "needs the driver MySQLdb" in answer.json()["checks"]["console"]


def test_a_check_that_breaks_is_told_by_its_incident_number_and_the_others_are_answered(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a detail")

    monkeypatch.setattr(process.console().store, "aliases", broken)
    monkeypatch.setattr(process.console().store, "collections", broken)
    checks = client.get("/readyz").json()["checks"]
    assert (checks["ledger"], checks["worker"]) == ("ok", "ok")
    assert checks["store"].split("incident ")[1].split(")")[0] in caplog.text
    assert "a detail" not in checks["store"]
    assert 'console_up{part="store"} 0' in client.get("/metrics").text
