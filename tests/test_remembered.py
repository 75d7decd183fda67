"""A company that is brought back is the one that was founded."""

import pytest
from django.db import DatabaseError, connection, transaction

from commissions.services.verification import find_breaks
from tests.cast import Cast
from tests.portal.conftest import two_months
from tests.remembered import differing, new_tables, remembered


def founding() -> Cast:
    return two_months()


def test_a_company_comes_back_with_its_rows_its_tables_and_their_rules(db):
    with transaction.atomic():
        founded = remembered(founding)
        rows, tables = differing(), new_tables()
        transaction.set_rollback(True)
    assert differing() == {}

    company = remembered(founding)

    assert company is not founded
    assert (company.users, company.distributors) == (founded.users, founded.distributors)
    assert (differing(), new_tables()) == (rows, tables)
    assert list(find_breaks(strict=True)) == []
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("update commissions_ledgerentry set level = level")


def test_two_who_ask_get_companies_of_their_own(db):
    with transaction.atomic():
        first = remembered(founding)
        first.distributors.pop("ben")
        transaction.set_rollback(True)

    assert remembered(founding).ben.display_name == "Ben Cole"
