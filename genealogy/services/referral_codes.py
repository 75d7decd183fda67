"""The codes distributors invite with: given at enrolment, renewed on wish, never given twice."""

from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from accounts.models.user import new_referral_code
from genealogy.models import Distributor, ReferralCode


def normalised(text: str) -> str:
    """A code as it is kept, from how people type it: "abcd-efgh 2" is ABCDEFGH2."""
    return "".join(letter for letter in text.upper() if letter.isascii() and letter.isalnum())


def current_code(distributor: Distributor) -> ReferralCode | None:
    return ReferralCode.objects.filter(distributor=distributor, is_current=True).first()


def issue_codes(distributor_ids: list[int], actor: User | None) -> None:
    """Give a code to each of these who has none; a step of every enrolment, safe to run twice.

    Who signs in gets the code his account was made with, unless somebody had it once.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WITHOUT, [distributor_ids])
        wanted: dict[int, str | None] = dict(cursor.fetchall())
        while wanted:
            codes = [code or new_referral_code() for code in wanted.values()]
            cursor.execute(_ISSUE, [actor.pk if actor else None, list(wanted), codes])
            # Whose code was taken gets another one; who got one meanwhile is not asked again.
            cursor.execute(_WITHOUT, [list(wanted)])
            wanted = dict.fromkeys(row[0] for row in cursor.fetchall())
        cursor.execute(_FOLLOW, [distributor_ids])


_WITHOUT = """
select d.id, u.referral_code from genealogy_distributor d
left join accounts_user u on u.id = d.user_id
where d.id = any(%s) and not exists (
  select 1 from genealogy_referralcode c where c.distributor_id = d.id and c.is_current)
order by d.id
"""
_ISSUE = """
insert into genealogy_referralcode (distributor_id, code, is_current, created_at, created_by_id)
select t.id, t.code, true, now(), %s from unnest(%s::bigint[], %s::text[]) as t(id, code)
on conflict do nothing
"""
# The account shows the code of its distributor; the row above is what counts.
_FOLLOW = """
update accounts_user u set referral_code = c.code
from genealogy_distributor d
join genealogy_referralcode c on c.distributor_id = d.id and c.is_current
where d.id = any(%s) and u.id = d.user_id and u.referral_code <> c.code
"""


@transaction.atomic
def renew_code(
    *, distributor: Distributor, actor: User, close_former: bool, seen: str
) -> ReferralCode:
    """Give a distributor a new code in place of the one he saw.

    The former one goes on working unless it is closed; its link then says so. When the code was
    renewed since it was seen, nothing happens and the present one is returned.
    """
    Distributor.objects.select_for_update(of=("self",), no_key=True).get(pk=distributor.pk)
    former = current_code(distributor)
    if former and former.code != seen:
        return former
    if former:
        former.is_current = False
        if close_former:
            former.closed_at, former.closed_by = timezone.now(), actor
        former.save(update_fields=["is_current", "closed_at", "closed_by"])
    if distributor.user_id:
        User.objects.filter(pk=distributor.user_id).update(referral_code=new_referral_code())
    issue_codes([distributor.pk], actor)
    code = ReferralCode.objects.get(distributor=distributor, is_current=True)
    audit.record(
        actor=actor,
        action="referral_code.renewed",
        target=distributor,
        before={"code": former.code if former else None, "closed": close_former},
        after={"code": code.code},
    )
    return code


@transaction.atomic
def close_code(*, code: ReferralCode, actor: User, reason: str) -> None:
    """Close a former code for good; closing it again changes nothing.

    The current one is renewed instead: everybody has one.
    """
    closed = ReferralCode.objects.filter(pk=code.pk, closed_at=None, is_current=False).update(
        closed_at=timezone.now(), closed_by=actor
    )
    if closed:
        audit.record(
            actor=actor, action="referral_code.closed", target=code.distributor, reason=reason
        )


def refresh_accounts() -> None:
    """Let every account show the code of its distributor; who has none gets one."""
    issue_codes(list(Distributor.objects.exclude(user=None).values_list("pk", flat=True)), None)


def code_differences() -> list[tuple[str, str, str]]:
    """Number, code on the account and code that counts, where the two differ."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES)
        return list(cursor.fetchall())


_DIFFERENCES = """
select d.number, u.referral_code, coalesce(c.code, '') from genealogy_distributor d
join accounts_user u on u.id = d.user_id
left join genealogy_referralcode c on c.distributor_id = d.id and c.is_current
where c.code is distinct from u.referral_code order by d.number
"""
