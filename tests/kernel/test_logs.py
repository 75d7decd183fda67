import json
import logging
import multiprocessing

import pytest
import structlog

from mlmcrm import logs

CANARIES = [
    "asha.menon@example.com",
    "GB29NWBK60161331926819",
    "GB29 NWBK 6016 1331 9268 19",
    "ABCDE1234F",
    "+44 7700 900123",
    "4929 1234 5678 9012",
    "2234 5678 9012",
]


@pytest.fixture
def log_lines(tmp_path):
    """A logger that writes as the application does, and what it wrote."""
    handler = logs.SharedRotatingFile(tmp_path / "app.log", 2)
    handler.setFormatter(logs.formatter())
    logger = logging.getLogger("canary")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in (tmp_path / "app.log").read_text().splitlines()]
    logger.removeHandler(handler)
    handler.close()
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize("canary", CANARIES)
def test_no_personal_data_reaches_a_file_by_any_way(log_lines, canary):
    structlog.contextvars.bind_contextvars(request_id="r1", ip="10.1.2.3", agent=canary)
    logger = structlog.get_logger("canary")

    logger.info("paid", email=canary, iban=canary, document_number=canary, note=f"for {canary}.")
    logger.info("nested", facts={"token": canary, "rows": [{"phone_number": canary, "n": canary}]})
    logging.getLogger("canary").info("Sent to %s", canary)
    try:
        raise ValueError(f"Key (email)=({canary}) already exists.")
    except ValueError:
        logger.exception("failed")

    text = json.dumps(log_lines())
    assert canary not in text
    assert "10.1.2.3" not in text
    assert len(log_lines()) == 4
    assert {line["request_id"] for line in log_lines()} == {"r1"}
    assert "ValueError" in log_lines()[3]["exception"]


def test_lines_keep_what_is_needed_to_follow_a_case(log_lines):
    structlog.get_logger("canary").warning(
        "run_failed", user_id=7, payout="PB-000003", ledger_entry=4294967297, amount="1,204.55"
    )

    (line,) = log_lines()
    assert line["event"] == "run_failed"
    assert line["level"] == "warning"
    assert (line["user_id"], line["payout"]) == (7, "PB-000003")
    assert (line["ledger_entry"], line["amount"]) == (4294967297, "1,204.55")


def test_query_strings_are_masked(log_lines):
    structlog.get_logger("canary").info("seen", path="/accounts/reset/?key=abc-123&next=/")

    assert log_lines()[0]["path"] == "/accounts/reset/?[redacted]"


def write_many(path, number):
    handler = logs.SharedRotatingFile(path, 50)
    for n in range(200):
        record = logging.LogRecord("x", logging.INFO, "", 0, f"{number}-{n} {'.' * 80}", None, None)
        handler.handle(record)


def test_rotation_by_several_processes_loses_no_line(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "SIZE", 4000)
    context = multiprocessing.get_context("fork")

    processes = [
        context.Process(target=write_many, args=(tmp_path / "app.log", number))
        for number in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    lines = [
        line.split()[0]
        for file in tmp_path.glob("app.log*")
        if file.suffix != ".lock"
        for line in file.read_text().splitlines()
    ]
    assert len(list(tmp_path.glob("app.log.*"))) > 3
    assert sorted(lines) == sorted(f"{number}-{n}" for number in range(3) for n in range(200))
