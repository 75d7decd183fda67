"""A generated company: N distributors with three orders each, the same for the same seed.

The sponsor tree grows like a real one: a newcomer is brought in by somebody who joined fairly
lately, or, in two of three cases, stands beside that person under the same sponsor. That gives a
heavy tail (seven in ten sponsor nobody, a few sponsor hundreds) and a depth that grows with the
logarithm of N. It is drawn without a loop over people: everybody names one earlier person, then
whole generations of "beside that person" are resolved at once by following pointers.

    python -m tests.benchmarks.network 1000000      prints the shape of the tree
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FIRST_ID = 1001
ORDERS_EACH = 3
RECENCY = 0.25
BESIDE = 0.65
CLASSES = np.array([0, 1, 2, 3], np.int8)
CLASS_SHARES = (0.30, 0.20, 0.40, 0.10)
PRODUCTS = 300


@dataclass(frozen=True, slots=True)
class Network:
    """`sponsor`, `enroller`: indexes, -1 at the top. Orders are sorted by id, one line each;
    volumes and margin in hundredths, of all its pieces; `order_class` indexes retail, preferred,
    self_consumption, autoship."""

    member_id: NDArray[np.int64]
    sponsor: NDArray[np.int32]
    enroller: NDArray[np.int32]
    order_id: NDArray[np.int64]
    seller: NDArray[np.int32]
    order_class: NDArray[np.int8]
    product: NDArray[np.int64]
    quantity: NDArray[np.int64]
    pv: NDArray[np.int64]
    cv: NDArray[np.int64]
    margin: NDArray[np.int64]
    place: NDArray[np.int32]
    leg: NDArray[np.int8]


def generate(members: int, *, seed: int = 7, chain: int = 0) -> Network:
    """`chain`: length of a straight line of distributors put in the middle."""
    rng = np.random.default_rng(seed)
    enroller = grow(rng, members, chain)
    moved = rng.random(members) < 0.01
    sponsor = np.where(moved & (enroller >= 0), np.maximum(enroller[enroller], 0), enroller)
    sponsor[0] = -1
    seller = rng.permutation(np.repeat(np.arange(members, dtype=np.int32), ORDERS_EACH))
    order_class = rng.choice(CLASSES, seller.size, p=CLASS_SHARES)
    product, quantity, pv, cv, margin = volumes(rng, order_class)
    place, leg = placed(rng, members)
    return Network(
        member_id=np.arange(FIRST_ID, FIRST_ID + members, dtype=np.int64),
        sponsor=sponsor.astype(np.int32),
        enroller=enroller,
        order_id=np.arange(1, seller.size + 1, dtype=np.int64),
        seller=seller,
        order_class=order_class,
        product=product,
        quantity=quantity,
        pv=pv,
        cv=cv,
        margin=margin,
        place=place,
        leg=leg,
    )


def grow(rng: np.random.Generator, members: int, chain: int) -> NDArray[np.int32]:
    """Everybody's enroller: someone earlier, or that person's own enroller in turn."""
    index = np.arange(members)
    met = np.minimum((index * rng.random(members) ** RECENCY).astype(np.int64), index - 1)
    beside = (rng.random(members) < BESIDE) & (met > 0)
    middle = members // 2
    if chain:
        met[middle + 1 : middle + chain] = index[middle : middle + chain - 1]
        beside[middle + 1 : middle + chain] = False
    enroller = np.where(beside, -2, met)
    while (waiting := np.flatnonzero(enroller == -2)).size:
        enroller[waiting] = enroller[met[waiting]]
    return enroller.astype(np.int32)


def placed(rng: np.random.Generator, members: int) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """A binary placement tree: each stands under somebody earlier, left or right.

    Everybody draws a place on a line and goes down from the first member, left of those whose
    place is further right: what a search tree of random keys grows into, 2 ln N deep in the mean.
    """
    arrival = np.argsort(rng.random(members)).tolist()
    parent, leg = [-1] * members, [-1] * members
    spine: list[int] = []
    for newcomer in arrival:
        below = -1
        while spine and spine[-1] > newcomer:
            below = spine.pop()
        if below >= 0:
            parent[below], leg[below] = newcomer, 0
        if spine:
            parent[newcomer], leg[newcomer] = spine[-1], 1
        spine.append(newcomer)
    return np.array(parent, np.int32), np.array(leg, np.int8)


def preorder(parent: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Place of each member in a walk through the tree, and how many stand in his subtree."""
    size = np.ones(parent.size, np.int64)
    up = np.where(parent >= 0, parent, parent.size)
    up = np.append(up, parent.size)
    while (up[:-1] < parent.size).any():
        sums = np.append(size, 0)
        np.add.at(sums, up[:-1], size)
        size, up = sums[:-1], up[up]
    order = np.lexsort((np.arange(parent.size), parent))
    before = np.cumsum(size[order]) - size[order]
    first = np.flatnonzero(np.diff(parent[order], prepend=-2))
    before -= np.repeat(before[first], np.diff(np.append(first, parent.size)))
    place = np.empty(parent.size, np.int64)
    place[order] = before + (parent[order] >= 0)
    up = np.where(parent >= 0, parent, np.arange(parent.size))
    steps = np.where(parent >= 0, place, 0)
    root = np.where(parent < 0, place, 0)
    while (up[up] != up).any():
        steps, up = steps + steps[up], up[up]
    return steps + root[up], size


def volumes(
    rng: np.random.Generator, order_class: NDArray[np.int8]
) -> tuple[NDArray[np.int64], ...]:
    """Product, pieces, PV, CV (about 80 %) and margin of each order, from a catalogue of products
    with prices."""
    price = (np.exp(rng.normal(3.4, 0.7, PRODUCTS)) * 100).astype(np.int64)
    credit = price * 80 // 100 + rng.integers(0, 9, PRODUCTS)
    product = rng.integers(0, PRODUCTS, order_class.size)
    quantity = rng.integers(1, 6, order_class.size)
    pv, cv = price[product] * quantity, credit[product] * quantity
    margin = np.where(order_class < 2, pv * 25 // 100, 0)
    return product, quantity, pv, cv, margin


def depths(parent: NDArray[np.int32]) -> NDArray[np.int64]:
    """Steps from each member to the top."""
    depth = (parent >= 0).astype(np.int64)
    up = np.where(parent >= 0, parent, np.arange(parent.size))
    while (up[up] != up).any():
        depth, up = depth + depth[up], up[up]
    return depth


if __name__ == "__main__":
    network = generate(int(sys.argv[1]))
    depth, children = depths(network.sponsor), np.bincount(network.sponsor[1:])
    childless = 1 - np.count_nonzero(children) / network.sponsor.size
    sys.stdout.write(
        f"depth: mean {depth.mean():.1f}, greatest {depth.max()}; "
        f"most children {children.max()}; without anybody below {childless:.0%}\n"
    )
