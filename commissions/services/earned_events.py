"""Telling people what they earned at payment, or what was taken back, by order and bonus."""

from decimal import Decimal

from django.db import connection

from accounts.events import Message, publish_many
from commissions.services.arrays import Array


def publish_lines(lines: dict[str, Array], currency: str) -> None:
    """commission.earned and commission.reversed for the earners who can sign in."""
    with connection.cursor() as cursor:
        cursor.execute(
            _NEWS,
            {
                "bonuses": lines["bonus"].tolist(),
                "earners": lines["earner"].tolist(),
                "entries": lines["entry"].tolist(),
                "amounts": lines["amount"].tolist(),
            },
        )
        rows = cursor.fetchall()
    earned: list[Message] = []
    taken_back: list[Message] = []
    for user, order, bonus, hundredths in rows:
        facts = {
            "amount": Decimal(abs(int(hundredths))).scaleb(-2),
            "currency": currency,
            "bonus": bonus,
            "order": order,
        }
        (earned if hundredths > 0 else taken_back).append(Message(user, order, facts))
    publish_many("commission.earned", earned)
    publish_many("commission.reversed", taken_back)


_NEWS = """
select d.user_id, o.number, b.name, sum(t.amount)
from unnest(%(bonuses)s::bigint[], %(earners)s::bigint[], %(entries)s::bigint[],
            %(amounts)s::bigint[]) as t(bonus_id, earner_id, entry_id, amount)
join genealogy_distributor d on d.id = t.earner_id and d.user_id is not null
join commissions_bonus b on b.id = t.bonus_id
join commerce_volumeentry v on v.id = t.entry_id
join commerce_orderitem i on i.id = v.order_item_id
join commerce_order o on o.id = i.order_id
group by d.user_id, o.number, b.name, v.kind having sum(t.amount) <> 0
order by min(t.entry_id), d.user_id, b.name
"""
