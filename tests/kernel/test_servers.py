import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from mlmcrm import servers
from mlmcrm.servers.programs import is_alive

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_outside_servers(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


@pytest.fixture
def folder(tmp_path):
    """A data folder whose path has spaces; pytest's own is closed to every other user."""
    yield tmp_path / "a data folder"
    home = servers.Postgres(tmp_path / "a data folder").home()
    shutil.rmtree(home, ignore_errors=True)


def query(addresses, sql):
    with psycopg.connect(addresses["DATABASE_URL"], autocommit=True) as connection:
        return connection.execute(sql).fetchone()[0]


def test_servers_start_work_and_stop(folder):
    with servers.lease(folder) as addresses:
        assert query(addresses, "SHOW server_encoding") == "UTF8"
        assert query(addresses, "SHOW fsync") == "on"
        assert query(addresses, "SELECT current_database()") == "mlmcrm"
        with redis.Redis.from_url(addresses["REDIS_URL"]) as client:
            assert client.ping()
        pid = servers.Postgres(folder).pid()

    assert pid is not None
    assert not is_alive(pid)
    assert not servers.Valkey(folder).is_running()


def test_servers_are_closed_to_others(folder):
    with servers.lease(folder) as addresses:
        home = servers.Postgres(folder).home()
        stranger = addresses["REDIS_URL"].replace(":", "://", 1).split("@")[1]
        with redis.Redis.from_url(f"redis://{stranger}") as client:
            with pytest.raises(redis.AuthenticationError):
                client.ping()

    assert home.stat().st_mode & 0o077 == 0
    assert (folder / "servers.json").stat().st_mode & 0o077 == 0


def test_root_gives_postgres_to_an_unprivileged_user_and_opens_no_folder(folder):
    before = folder.parent.stat().st_mode

    with servers.lease(folder):
        pid = servers.Postgres(folder).pid()
        owner = Path(f"/proc/{pid}").stat().st_uid

    assert owner != 0
    assert folder.parent.stat().st_mode == before


def test_data_survives_a_stop_and_a_kill(folder):
    with servers.lease(folder) as addresses:
        with psycopg.connect(addresses["DATABASE_URL"]) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (42)")
        os.kill(servers.Postgres(folder).pid(), signal.SIGKILL)

    with servers.lease(folder) as addresses:
        assert query(addresses, "SELECT n FROM kept") == 42


def test_heal_starts_what_was_killed_at_the_same_address(folder, monkeypatch):
    with servers.lease(folder) as addresses:
        for name, address in addresses.items():
            monkeypatch.setenv(name, address)
        with redis.Redis.from_url(addresses["REDIS_URL"]) as client:
            redis_pid = client.info("server")["process_id"]
        assert servers.heal(folder) is False

        os.kill(servers.Postgres(folder).pid(), signal.SIGKILL)
        os.kill(redis_pid, signal.SIGKILL)
        time.sleep(0.1)

        assert servers.heal(folder) is True
        assert query(addresses, "SELECT 1") == 1
        with redis.Redis.from_url(addresses["REDIS_URL"]) as client:
            assert client.ping()
        monkeypatch.delenv("DATABASE_URL")
        monkeypatch.delenv("REDIS_URL")


def test_a_second_lease_shares_the_servers_and_the_last_one_stops_them(folder):
    with servers.lease(folder) as addresses:
        other = subprocess.Popen(
            [sys.executable, "-m", "mlmcrm.servers"],
            cwd=ROOT,
            env=os.environ | {"MLMCRM_DATA_DIR": str(folder)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert other.stdout.readline().strip() == f"DATABASE_URL={addresses['DATABASE_URL']}"

    assert query(addresses, "SELECT 1") == 1

    other.send_signal(signal.SIGINT)
    assert other.wait(20) == 0
    other.stdout.close()
    assert not servers.Postgres(folder).is_running()


def test_servers_left_by_a_killed_owner_are_used_again(folder):
    owner = subprocess.Popen(
        [sys.executable, "-m", "mlmcrm.servers"],
        cwd=ROOT,
        env=os.environ | {"MLMCRM_DATA_DIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    owner.stdout.readline()
    pid = servers.Postgres(folder).pid()
    owner.kill()
    owner.wait()
    owner.stdout.close()

    with servers.lease(folder):
        assert servers.Postgres(folder).pid() == pid

    assert not servers.Postgres(folder).is_running()


def test_a_pid_file_that_names_another_program_is_no_server(folder):
    with servers.lease(folder):
        pass
    pid_file = servers.Postgres(folder).data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n1\n5432\n/nowhere\n\n")

    with servers.lease(folder) as addresses:
        assert query(addresses, "SELECT 1") == 1


def test_a_path_too_long_for_a_socket_uses_loopback(tmp_path):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    # A root user's data may stand elsewhere, so the folder is named as the home outright.
    postgres = servers.Postgres(folder)

    where = postgres.where()

    assert where["listen_addresses"] == "127.0.0.1"
    assert where["unix_socket_directories"] == ""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", int(where["port"])))


def test_loopback_wants_the_password(folder, monkeypatch):
    monkeypatch.setattr("mlmcrm.servers.postgres.LONGEST_SOCKET_PATH", 1)

    with servers.lease(folder) as addresses:
        address = addresses["DATABASE_URL"]
        assert query(addresses, "SELECT 1") == 1
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(address.replace(address.split(":")[2].split("@")[0], "guess"))


def test_two_folders_run_side_by_side(folder, tmp_path):
    second = tmp_path / "second"

    with servers.lease(folder) as one, servers.lease(second) as two:
        assert one != two
        query_one = query(one, "SELECT system_identifier::text FROM pg_control_system()")
        query_two = query(two, "SELECT system_identifier::text FROM pg_control_system()")
        assert query_one != query_two

    shutil.rmtree(servers.Postgres(second).home(), ignore_errors=True)


def test_outside_servers_are_left_alone(folder, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example.com/mlmcrm")
    monkeypatch.setenv("REDIS_URL", "redis://cache.example.com/0")

    with servers.lease(folder) as addresses:
        assert addresses["DATABASE_URL"] == "postgresql://db.example.com/mlmcrm"

    assert not (folder / "postgres").exists()
    assert not (folder / "servers.json").exists()


def test_remove_takes_the_data_wherever_it_stands(folder):
    with servers.lease(folder):
        home = servers.Postgres(folder).home()

    servers.remove(folder)

    assert not home.exists()
    assert not folder.exists()
