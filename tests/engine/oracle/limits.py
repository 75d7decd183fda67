"""What bonuses may come to, what of it may be paid out, and what that leaves for later."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from commissions.engine.plan import PAYMENT, Limit
from tests.engine.oracle.awards import Award
from tests.engine.oracle.company import ZERO, Company, Person, hundredths, rate, rounded
from tests.engine.oracle.ladders import shown_rank
from tests.engine.oracle.measures import meets, metric
from tests.engine.oracle.settling import State, money_of


def cut(company: Company, limit: Limit, before: list[Award], state: State) -> list[Award]:
    """Negative lines that bring these bonuses down to the limit; positive ones where there is room
    for what earlier periods held back."""
    name = f"limit.{limit.code}"
    paid = {
        person: max(
            ZERO,
            sum((a.amount for a in before if counts(company, limit, a, person)), ZERO)
            + paid_before(company, limit.bonuses, person),
        )
        for person in company.people
    }
    held = {p: money_of(company, company.carried(name, p)) for p in company.people}
    groups: dict[Person | None, list[Person]] = {}
    for person in company.people:
        key = {"member": person, "person": person.owner, "company": None}[limit.scope]
        groups.setdefault(key, []).append(person)
    change: dict[Person, Fraction] = {}
    state[name] = {}
    for people in groups.values():
        allowed = allowed_for(company, limit, people)
        if not meets(company, limit.when, people[0]):
            allowed = sum((paid[p] + held[p] for p in people), ZERO)
        kept = granted(company, limit, {p: paid[p] for p in people}, allowed)
        room = max(ZERO, allowed - sum((paid[p] for p in people), ZERO))
        freed = granted(company, limit, {p: held[p] for p in people}, room)
        for person in people:
            change[person] = kept[person] - paid[person] + freed[person]
            state[name][person] = held[person] - freed[person]
            if limit.overflow == "held":
                state[name][person] += paid[person] - kept[person]
    return [limit_line(company, limit, p, change[p]) for p in company.people if change[p]]


def limit_line(company: Company, limit: Limit, person: Person, amount: Fraction) -> Award:
    base, rank = rounded(amount, 2, "toward_zero"), shown_rank(company, person)
    return Award(limit.code, 0, person, None, None, base, Fraction(1), "ledger", rank, amount)


def paid_before(company: Company, bonuses: Sequence[str], person: Person) -> Fraction:
    """What these bonuses paid him at payment, within the period."""
    units = sum(company.carried(f"paid.{code}", person) for code in bonuses)
    return money_of(company, units)


def refusal(company: Company, limit: Limit, before: list[Award]) -> tuple[Fraction, Fraction]:
    """What is allowed, and what was paid, of a limit that lets nothing pass."""
    paid = [
        sum((a.amount for a in before if counts(company, limit, a, person)), ZERO)
        + paid_before(company, limit.bonuses, person)
        for person in company.people
    ]
    return allowed_for(company, limit, company.people), sum(paid, ZERO)


def pay_out(company: Company, awards: list[Award], state: State) -> list[Fraction]:
    """What each may be paid; the rest of what he has waits in his wallet."""
    rule = company.plan.payout
    at_payment = [bonus.code for bonus in company.plan.triggered_by(PAYMENT)]
    payable = []
    state["wallet"] = {}
    for person in company.people:
        earned = [a.amount for a in awards if a.earner is person and a.to == "ledger"]
        balance = sum(earned, ZERO) + money_of(company, company.carried("wallet", person))
        balance += paid_before(company, at_payment, person)
        is_due = balance > 0 and balance >= hundredths(rule.minimum)
        paid = balance if is_due and meets(company, rule.when, person) else ZERO
        state["wallet"][person] = balance - paid
        payable.append(paid)
    return payable


def counts(company: Company, limit: Limit, award: Award, person: Person) -> bool:
    """Lines of the limit's bonuses, and what earlier limits on none but those cut of them."""
    earlier = {
        other.code for other in company.plan.limits if set(other.bonuses) <= set(limit.bonuses)
    }
    named = award.bonus in limit.bonuses or award.bonus in earlier
    return named and award.earner is person and award.to == "ledger"


def allowed_for(company: Company, limit: Limit, people: list[Person]) -> Fraction:
    """The amount, or the share of the metric; that of a person is the sum over his positions."""
    scale = company.plan.money.scale
    if limit.share is None or limit.metric is None:
        return rounded(hundredths(limit.amount or 0), scale, "toward_zero")
    wanted = people[:1] if limit.scope == "company" else people
    figure = sum((max(metric(company, limit.metric, person), ZERO) for person in wanted), ZERO)
    return rounded(rate(limit.share) * figure, scale, "toward_zero")


def granted(
    company: Company, limit: Limit, wanted: dict[Person, Fraction], allowed: Fraction
) -> dict[Person, Fraction]:
    """What each of those who share one limit gets of what he wants."""
    if sum(wanted.values(), ZERO) <= allowed:
        return wanted
    if limit.enforcement == "pro_rata":
        return shared(company, wanted, allowed)
    got: dict[Person, Fraction] = {}
    for rank in sorted({shown_rank(company, person) for person in wanted}):
        rung = {person: wanted[person] for person in wanted if shown_rank(company, person) == rank}
        got |= shared(company, rung, allowed - sum(got.values(), ZERO))
    return got


def shared(
    company: Company, wanted: dict[Person, Fraction], allowed: Fraction
) -> dict[Person, Fraction]:
    """What is allowed in proportion to what is wanted, to the unit by largest remainder."""
    whole = sum(wanted.values(), ZERO)
    if whole <= allowed:
        return wanted
    unit = Fraction(1, 10**company.plan.money.scale)
    parts = {person: allowed * amount / whole for person, amount in wanted.items()}
    got = {person: part // unit * unit for person, part in parts.items()}
    left = int((allowed - sum(got.values(), ZERO)) / unit)
    for person in sorted(parts, key=lambda p: (got[p] - parts[p], p.place))[:left]:
        got[person] += unit
    return got
