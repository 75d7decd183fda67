"""Reading plan documents: what they may say, how each fault is named; the schema says the same."""

import copy
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commissions.engine.errors import PlanError
from commissions.engine.plan import Plan, parts
from commissions.engine.plan.loading import load_plan
from commissions.engine.plan.reading import Amount, Code, Rate, content_hash, read, written
from commissions.engine.plan.schema import schema
from tests.engine.documents import Document, demo
from tests.engine.everything import everything
from tests.engine.schema_check import schema_faults

SCHEMA = schema(Plan, "Compensation plan")
MISSING = object()


def set_at(document: Any, path: tuple[str | int, ...], value: object) -> None:
    """Replaces (or removes) what stands at the path."""
    for key in path[:-1]:
        document = document[key]
    if value is MISSING:
        del document[path[-1]]
    else:
        document[path[-1]] = value


def faults_of(document: object) -> list[str]:
    with pytest.raises(PlanError) as refused:
        load_plan(document)
    return [str(fault) for fault in refused.value.faults]


def dotted(path: tuple[str | int, ...]) -> str:
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)


START = ("bonuses", 0, "pays", "start")
UNILEVEL = ("bonuses", 2)
FAULTS: list[tuple[tuple[str | int, ...], object, str]] = [
    (("money", "rounding"), "floor", "must be one of half_even, half_up, toward_zero, "
     'away_from_zero, not "floor"'),
    (("money", "rounding"), MISSING, "is missing"),
    (("money", "scale"), 7, "must be a whole number from 0 to 6"),
    (("money", "scale"), True, "must be a whole number, not true"),
    (("money",), [], "must be an object, not []"),
    (("reversal",), MISSING, "is missing"),
    (("reversal", "derived"), "yes", 'must be true or false, not "yes"'),
    (("name",), " ", 'must be a text, not " "'),
    (("name",), None, "must be a text, not null"),
    (("currency",), "pounds", '"pounds" is not made of three letters as in ISO 4217'),
    (("schema",), 1, "must be a whole number from 2 to 2"),
    (("kinds",), "retail", 'must be a list, not "retail"'),
    (("kinds", 0), "Retail", '"Retail" is not made of lower case letters, digits, underscores'),
    (("bonuses",), {"code": "x"}, 'must be a list, not {"code": "x"}'),
    (("bonuses", 1), "retail", 'must be an object, not "retail"'),
    (("bonuses", 1, "base"), "cv", 'must be an object with "of", not "cv"'),
    ((*UNILEVEL, "rates", "table"), ["0.05"], 'must be an object, not ["0.05"]'),
    ((*UNILEVEL, "rates", "table", "gold", 2), "0.0000001",
     '"0.0000001" has more than 6 decimals or is too large'),
    ((*UNILEVEL, "rates", "table", "gold", 2), 0.05,
     'must be a decimal in quotes such as "12.50", not negative; it is 0.05'),
    ((*UNILEVEL, "rates", "table", "gold", 2), "-0.05",
     'must be a decimal in quotes such as "12.50", not negative; it is "-0.05"'),
    ((*UNILEVEL, "rates", "table", "gold", 2), "5%",
     'must be a decimal in quotes such as "12.50", not negative; it is "5%"'),
    ((*UNILEVEL, "rates", "table", "gold", 2), "1e-2",
     'must be a decimal in quotes such as "12.50", not negative; it is "1e-2"'),
    (("payout", "minimum"), "10.005", '"10.005" has more than 2 decimals or is too large'),
    (("payout", "minimum"), "99999999999999", '"99999999999999" has more than 2 decimals or is '
     "too large"),
    (("payout", "minimum"), "010",
     'must be a decimal in quotes such as "12.50", not negative; it is "010"'),
    (("name",), "Gold\x00", 'must be a text, not "Gold\\u0000"'),
    (("name",), "Gold\ud800", 'must be a text, not "Gold\ud800"'),
    (("bonuses", 1, "base", "of"), ["order"],
     'must be one of commissions, flat, metric, order, not ["order"]'),
    ((*UNILEVEL, "pays", "max_steps"), "5", 'must be a whole number, not "5"'),
    ((*UNILEVEL, "pays", "max_steps"), True, "must be a whole number, not true"),
    ((*UNILEVEL, "pays", "max_steps"), 101, "must be a whole number from 1 to 100"),
    ((*UNILEVEL, "pays", "steps", "counts", "of", 0), 1, 'must be an object with "is", not 1'),
    ((*START, "retail"), "me", 'must be one of source, upline, not "me"'),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), FAULTS)
def test_a_fault_is_named_by_its_path(path, value, message):
    document = demo()
    set_at(document, path, value)

    assert faults_of(document) == [f"{dotted(path)}: {message}"]


@pytest.mark.parametrize(("path", "value", "message"), FAULTS)
def test_the_schema_refuses_what_reading_refuses(path, value, message):
    document = demo()
    set_at(document, path, value)
    too_fine_for_a_schema = ("99999999999999", " ", "Gold\x00", "Gold\ud800")

    if value not in too_fine_for_a_schema:
        (fault,) = schema_faults(document, SCHEMA)
        assert dotted(path).startswith(fault)


def test_a_word_for_the_kind_of_record_decides_what_is_read():
    document = demo()
    document["bonuses"][2]["pays"]["who"] = "uplines"
    del document["bonuses"][2]["rates"]["by"]

    assert faults_of(document) == [
        '$.bonuses[2].pays.who: must be one of company, pairs, pool, source, upline, not "uplines"',
        "$.bonuses[2].rates.by: must be one of band, figure, kind, package, rank, "
        "step, not nothing",
    ]


def test_what_nobody_asked_for_is_a_fault():
    document = demo()
    document["bonuses"][1]["colour"] = "blue"
    document["_hash"] = "x"

    faults = faults_of(document)

    assert [fault.partition(";")[0] for fault in faults] == [
        "$.bonuses[1].colour: is not a field of the plan language",
        "$._hash: is not a field of the plan language",
    ]
    assert "known here: base, code, eligibility" in faults[0]


def test_all_faults_are_named_at_once():
    document = demo()
    for path, value, _ in (FAULTS[0], FAULTS[6], FAULTS[16]):
        set_at(document, path, value)

    assert [fault.partition(": ")[0] for fault in faults_of(document)] == [
        "$.money.rounding", "$.bonuses[2].rates.table", "$.reversal.derived",
    ]  # fmt: skip


@pytest.mark.parametrize("document", [None, [], "plan", {}, 1])
def test_documents_that_are_no_plan(document):
    assert faults_of(document)
    assert list(schema_faults(document, SCHEMA))


def test_figures_are_held_as_whole_numbers():
    plan = load_plan(demo())

    assert plan.payout.minimum == 10_00
    assert plan.limits[0].share == 450_000
    assert plan.bonuses[2].rates.table["platinum"] == (
        50_000,
        50_000,
        40_000,
        30_000,
        25_000,
        20_000,
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """A record of its own. Only the first sentences matter."""

    amount: Amount
    rate: Rate
    code: Code
    which: Annotated[Literal["one", "other"], "Which of the two."] = "one"
    maybe: bool | None = None


@given(st.integers(0, 10**15), st.integers(0, 10**19))
@settings(max_examples=50)
def test_every_exact_decimal_is_read_exactly(amount, rate):
    faults: list[Any] = []
    document = {
        "amount": f"{amount // 100}.{amount % 100:02d}",
        "rate": f"{rate // 10**6}.{rate % 10**6:06d}",
        "code": "x",
    }

    sample = read(Sample, document, "$", faults)

    assert not faults
    assert (sample.amount, sample.rate, sample.which, sample.maybe) == (amount, rate, "one", None)


def test_the_schema_of_a_record_has_its_sentences():
    found = schema(Sample, "Sample")["$defs"]["Sample"]

    assert found["description"] == "A record of its own. Only the first sentences matter."
    assert found["required"] == ["amount", "rate", "code"]
    assert found["properties"]["which"] == {
        "enum": ["one", "other"], "description": "Which of the two.",
    }  # fmt: skip
    assert found["properties"]["maybe"] == {"anyOf": [{"type": "boolean"}, {"type": "null"}]}


def test_every_field_of_the_language_is_in_the_schema_with_its_description():
    for _, part in parts(everything()):
        kind = type(part)
        found = SCHEMA["$defs"][kind.__name__]
        assert set(found["properties"]) == {field.name.rstrip("_") for field in written(kind)}
        assert found["description"].strip()


def test_a_plan_with_every_part_fits_the_schema():
    assert list(schema_faults(demo(), SCHEMA)) == []


def test_the_hash_knows_the_content_and_not_the_spelling():
    document = demo()
    reordered = json.loads(json.dumps(document, sort_keys=True, indent=4))
    changed = copy.deepcopy(document)
    changed["bonuses"][0]["rates"]["table"] = ["0.03"]

    assert load_plan(reordered).content_hash == load_plan(document).content_hash
    assert load_plan(changed).content_hash != load_plan(document).content_hash
    assert content_hash({"b": 1, "a": [2]}) == content_hash({"a": [2], "b": 1})


REQUIRED: list[tuple[str | int, ...]] = [
    ("money", "zero_amounts"), ("money", "granularity"), ("metrics", 2, "scope", "include_self"),
    ("ladders", 0, "climb"), ("ladders", 0, "when_not_met"), ("bonuses", 0, "trigger"),
    ("bonuses", 0, "pays", "tree"), ("bonuses", 0, "pays", "start"),
    ("bonuses", 0, "pays", "max_distance"), ("bonuses", 0, "pays", "unfilled"),
    ("bonuses", 2, "pays", "steps", "counts"), ("bonuses", 2, "rates", "which"),
    ("bonuses", 2, "eligibility", "otherwise"), ("bonuses", 3, "occurrence", "skipped_ranks"),
    ("limits", 0, "enforcement"), ("limits", 0, "overflow"), ("reversal", "volume_counts_in"),
    ("reversal", "derived"), ("payout", "hold_days"), ("activity",),
]  # fmt: skip


@pytest.mark.parametrize("path", REQUIRED)
def test_where_good_plans_differ_nothing_is_assumed(path):
    document: Document = demo()
    set_at(document, path, MISSING)

    assert faults_of(document) == [f"{dotted(path)}: is missing"]
    (fault,) = schema_faults(document, SCHEMA)
    assert dotted(path).startswith(fault)
