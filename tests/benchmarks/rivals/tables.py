"""The same company in plain tables, for the rivals: who stands where, and what was sold."""

from __future__ import annotations

import numpy as np
from django.db import connection

from commissions.services.arrays import copy_rows, slices
from tests.benchmarks.network import Network, preorder

MEMBER = {
    "id": "i8", "sponsor": "i8", "lft": "i4", "size": "i4", "place": "i8", "side": "i2",
    "plft": "i4", "psize": "i4", "carry_l": "i8", "carry_r": "i8",
}  # fmt: skip
LINE = {"id": "i8", "seller": "i8", "pv": "i4", "cv": "i4"}
CREATE = """
create schema rival;
create unlogged table rival.member (id bigint, sponsor bigint, lft int, size int, place bigint,
  side smallint, plft int, psize int, carry_l bigint, carry_r bigint);
create unlogged table rival.line (id bigint, seller bigint, pv int, cv int);
"""
FINISH = """
update rival.member set sponsor = null where sponsor = 0;
update rival.member set place = null where place = 0;
"""


def load(network: Network) -> None:
    """Interval labels are made here; keeping them up to date is not counted against anybody."""
    lft, size = preorder(network.sponsor)
    plft, psize = preorder(network.place)
    none = np.zeros(network.member_id.size, np.int64)
    member = {
        "id": network.member_id,
        "sponsor": ids_of(network, network.sponsor),
        "lft": lft,
        "size": size,
        "place": ids_of(network, network.place),
        "side": network.leg,
        "plft": plft,
        "psize": psize,
        "carry_l": none,
        "carry_r": none,
    }
    line = {
        "id": network.order_id,
        "seller": network.member_id[network.seller],
        "pv": network.pv,
        "cv": network.cv,
    }
    with connection.cursor() as cursor:
        cursor.execute(CREATE)
        copy_rows("rival.member", MEMBER, pieces(member))
        copy_rows("rival.line", LINE, pieces(line))
        cursor.execute(FINISH)
        for table in ("member", "line"):
            cursor.execute(f"vacuum (analyze) rival.{table}")


def ids_of(network: Network, pointers: np.ndarray) -> np.ndarray:
    return np.where(pointers >= 0, network.member_id[pointers], 0)


def pieces(columns: dict[str, np.ndarray]):
    for part in slices(columns["id"].size):
        yield part.stop - part.start, {name: column[part] for name, column in columns.items()}
