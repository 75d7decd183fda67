"""Work beside: in one other session, each piece in a transaction that commits by itself."""

from threading import Event
from time import monotonic, sleep

import pytest
from django.db import connection

from mlmcrm.beside import Beside

pytestmark = pytest.mark.django_db(transaction=True)


def session():
    return asked("select pg_backend_pid()")


def asked(question):
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


def refuse():
    raise ValueError("not so")


def test_one_other_session_does_one_piece_after_the_other():
    with Beside(when=True) as beside:
        first, second = beside.do(session), beside.do(session)
        assert first() == second() != session()
        ids = [beside.do(asked, "select txid_current()") for _ in range(2)]
        assert ids[0]() != ids[1]()


def test_what_broke_is_raised_where_its_result_is_asked_and_the_session_goes_on():
    with Beside(when=True) as beside:
        broken, sound = beside.do(refuse), beside.do(asked, "select 1")
        with pytest.raises(ValueError, match="not so"):
            broken()
        assert sound() == 1


def test_its_session_ends_with_it():
    with Beside(when=True) as beside:
        pid = beside.do(session)()
    end = monotonic() + 20
    while asked(f"select exists (select from pg_stat_activity where pid = {pid})"):
        assert monotonic() < end, "the session is still there"
        sleep(0.01)


def test_it_tells_whether_it_still_works():
    go_on = Event()
    with Beside(when=True) as beside:
        assert not beside.is_busy
        waiting = beside.do(go_on.wait)
        assert beside.is_busy
        go_on.set()
        assert waiting()
        assert not beside.is_busy


def test_where_it_is_not_worth_it_the_session_at_hand_does_it():
    with Beside(when=False) as beside:
        assert beside.do(session)() == session()
        assert not beside.is_apart
        assert not beside.is_busy
