from django.db import connection

from accounts.history import explain_change, record_many
from accounts.models import User
from accounts.numbering import take_numbers
from commerce.models import Customer
from mlmcrm.locks import require_transaction

_OPEN = """
insert into commerce_customer (
    number, external_reference, kind, distributor_id, user_id, first_name, last_name, email,
    phone, country, preferred_language, billing_address, shipping_addresses, payment_methods,
    marketing_opt_in, auto_ship_enabled, loyalty_points, lifetime_value, status, notes,
    created_at, updated_at)
  select t.number, d.external_reference, 'self', d.id, d.user_id,
         left(split_part(d.display_name, ' ', 1), 100),
         left(substr(d.display_name, length(split_part(d.display_name, ' ', 1)) + 2), 100),
         coalesce(u.email, ''), coalesce(u.phone, ''), d.country, 'en', '{}', '[]', '[]',
         false, false, 0, 0, 'active', '', now(), now()
  from unnest(%(numbers)s::text[], %(ids)s::bigint[]) as t(number, distributor_id)
  join genealogy_distributor d on d.id = t.distributor_id
  left join accounts_user u on u.id = d.user_id
  where not exists (
    select 1 from commerce_customer c where c.distributor_id = d.id and c.kind = 'self')
returning id
"""


def open_self_accounts(distributor_ids: list[int], actor: User | None) -> list[int]:
    """Open the own customer account of each distributor who has none yet; set-based.

    Runs as a step of enrolment. Returns the ids of the new customers.
    """
    require_transaction()
    numbers = take_numbers("C", len(distributor_ids))
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"numbers": numbers, "ids": distributor_ids})
        ids = [row[0] for row in cursor.fetchall()]
    record_many(Customer, ids, kind="+", actor=actor, reason="Enrolled")
    return ids


def owners_of(references: list[str]) -> dict[str, str]:
    """The customers who have these external references, by reference."""
    rows = Customer.objects.filter(external_reference__in=references)
    return {str(row.external_reference): f"customer {row.number}" for row in rows}


def walk_in_account(actor: User | None) -> Customer:
    """The account for sales without a customer; opened when first needed."""
    account = Customer.objects.filter(kind=Customer.Kind.WALK_IN).order_by("pk").first()
    if account is None:
        account = Customer(number=take_numbers("C")[0], kind=Customer.Kind.WALK_IN)
        explain_change(account, actor=actor, reason="Opened for sales without a customer")
        account.save()
    return account
