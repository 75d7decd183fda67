"""What the company keeps: published cases (ids of `shared/cases`), and that parts add up."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from commissions.engine.plan import Plan
from tests.engine.closing import Closed, close
from tests.engine.documents import (
    Document,
    bonus,
    by_step,
    document,
    load,
    metric,
    money,
    upline,
)

CHAIN = {"a": None, "b": "a", "c": "b", "d": "c"}


def referral(*rates: str) -> Document:
    return bonus("referral", pays=upline(max_steps=3), rates=by_step(*rates))


def keeps(code: str, *less: str, rate: str = "0.15", **parts: Any) -> Document:
    pays = {"who": "company", "less": list(less)}
    rates = parts.pop("rates", by_step(rate))
    return bonus(code, ledger_type="adjustment", pays=pays, rates=rates, **parts)


def tiers(*bonuses: Document, **parts: Any) -> Plan:
    """Referrals of 5 %, 3 % and 2 %, rounded down, before what the company keeps."""
    first = referral("0.05", "0.03", "0.02")
    floor = {"money": money(rounding="toward_zero")}
    return load(document(bonuses=[first, *bonuses], **(floor | parts)))


def sell(rule: Plan, *amounts: str) -> Closed:
    return close(rule, CHAIN, [("d", amount) for amount in amounts])


def test_a_fee_and_what_is_left_of_it_after_referrals():  # uni-08
    closed = sell(tiers(keeps("platform_fee"), keeps("retained", "referral")), "100")

    assert closed.paid("referral") == {"c": ["5.00"], "b": ["3.00"], "a": ["2.00"]}
    assert closed.kept("platform_fee") == ["15.00"]
    assert closed.kept("retained") == ["5.00"]
    assert closed.result.total == 10_00


def test_the_deduction_goes_by_order_line():
    closed = sell(tiers(keeps("retained", "referral")), "100", "10")

    assert closed.kept("retained") == ["5.00", "0.50"]


def test_of_several_commissions_on_a_line_the_first_bears_the_deduction():
    base = {"of": "commissions", "bonuses": ["referral"], "per": "line", "after_limits": False}
    extra = bonus("extra", pays=upline(1), rates=by_step("0.01"))

    closed = sell(tiers(extra, keeps("retained", "extra", rate="0.50", base=base)), "100")

    # half of 5.00, 3.00 and 2.00, and 1.00 off
    assert closed.kept("retained") == ["1.50", "1.50", "1.00"]


def test_the_lines_name_the_sale_and_no_earner():
    closed = sell(tiers(keeps("retained", "referral")), "100", "10")

    [block] = closed.result.retained
    assert (block.source.tolist(), block.line.tolist()) == ([3, 3], [0, 1])
    assert block.earner.tolist() == [-1, -1]
    assert (block.base.tolist(), block.rate.tolist()) == ([500, 50], [1_000_000] * 2)


def test_a_fee_alone_has_the_sale_as_base():
    [block] = sell(tiers(keeps("platform_fee")), "100").result.retained

    assert (block.base.tolist(), block.rate.tolist()) == ([10_000], [150_000])


def test_more_paid_than_the_fee_is_what_the_company_put_in():
    closed = sell(tiers(keeps("retained", "referral", rate="0.04")), "100")

    assert closed.kept("retained") == ["-6.00"]


def test_a_fee_in_amounts_by_kind_of_order():
    rates = {"by": "kind", "table": {"retail": ["2.50"]}}
    rule = tiers(keeps("retained", "referral", rates=rates, unit="amount"))

    closed = close(rule, CHAIN, [("d", "20"), ("d", "20", "autoship")])

    assert closed.kept("retained") == ["0.50"]


def test_a_fee_for_each_thing_counted():
    recruits = metric("recruits", what="members", scope={"scope": "company"})
    base = {"of": "metric", "metric": "recruits"}
    rule = load(
        document(metrics=[recruits], bonuses=[keeps("fee", rate="1.50", base=base, unit="amount")])
    )

    assert close(rule, {"a": None, "b": None}).kept("fee") == ["3.00", "3.00"]


def test_the_factor_is_in_the_fee_before_the_deduction():
    rule = tiers(keeps("retained", "referral", factor="0.8"))

    assert sell(rule, "100").kept("retained") == ["2.00"]


AMOUNTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=8)
ROUNDINGS = st.sampled_from(["half_even", "half_up", "toward_zero", "away_from_zero"])


@settings(max_examples=40, deadline=None)
@given(amounts=AMOUNTS, rounding=ROUNDINGS, scale=st.integers(0, 2))
def test_its_part_and_theirs_are_the_fee(amounts: list[int], rounding: str, scale: int):
    rules = money(rounding=rounding, scale=scale, zero_amounts="keep")
    rule = tiers(keeps("fee"), keeps("retained", "referral"), money=rules)

    closed = sell(rule, *(f"{n // 100}.{n % 100:02}" for n in amounts))

    fee, kept = (sum(map(Decimal, closed.kept(code))) for code in ("fee", "retained"))
    paid = sum(Decimal(n) for lines in closed.paid("referral").values() for n in lines)
    assert kept + paid == fee
