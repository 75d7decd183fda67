"""Columns between the database and numpy."""

import pytest
from django.db import transaction
from psycopg import DataError

from commissions.services.arrays import read_columns
from commissions.services.facts import POSITION_WORDS, SALE_WORDS

pytestmark = pytest.mark.django_db

KINDS = {"distributor": "i8", "day": "i4", "kind": "i2", "id": "i8", "parent": "i8", "leg": "i2"}
ROWS = """
select * from (values
  (1::bigint, 0, 0::smallint, 1::bigint, 0::bigint, 0::smallint),
  (4294967295, 4194303, 127, 549755813887, 70368744177663, 32767),
  (17, -4194304, -1, 2, 3, 1),
  (18, -1, 5, 4, 17, 2)
) facts(distributor, day, kind, id, parent, leg)
"""


def rows_of(columns):
    return {name: (column.dtype.str, column.tolist()) for name, column in columns.items()}


@pytest.mark.parametrize("words", [SALE_WORDS, POSITION_WORDS])
def test_columns_within_others_are_the_same(words):
    assert rows_of(read_columns(ROWS, None, words, **KINDS)) == rows_of(read_columns(ROWS, **KINDS))


def test_nothing_comes_of_no_rows():
    found = read_columns(f"{ROWS} where false", None, SALE_WORDS, **KINDS)
    assert {column.size for column in found.values()} == {0}


def test_a_column_that_leaves_no_room_is_refused():
    query = "select 4294967296::bigint as distributor, 0 as day, 0::smallint as kind"

    with pytest.raises(DataError, match="out of range"), transaction.atomic():
        read_columns(query, None, SALE_WORDS, distributor="i8", day="i4", kind="i2")
