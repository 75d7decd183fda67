"""The consent columns of profiles: what was last answered, repeated for lists and exports.

They are never the truth: what may be done with somebody's consent is asked of `who_consents`,
which knows whether the words that were agreed to are still the ones in force.
"""

from typing import Any, NamedTuple

from django.db import connection, transaction

from accounts.history import explain_change
from accounts.models import ConsentText, Profile, User

PROJECTED = (ConsentText.Purpose.MARKETING, ConsentText.Purpose.DATA_PROCESSING)
COLUMNS = (
    "marketing_consent",
    "marketing_consent_at",
    "data_processing_consent",
    "data_processing_consent_at",
    "consent_text_version",
)
NOTHING_GIVEN = (False, None, False, None, "")

# Since when each is given, and the version of the text that was agreed to last.
_TRUTH = """
with newest as (
  select distinct on (c.user_id, t.purpose) c.id, c.user_id, t.purpose, c.is_given, c.at, t.version
  from accounts_consent c join accounts_consenttext t on t.id = c.text_id
  where t.purpose in ('marketing', 'data_processing')
    and (%(user)s::bigint is null or c.user_id = %(user)s)
  order by c.user_id, t.purpose, c.id desc
)
select user_id,
  bool_or(purpose = 'marketing'), max(at) filter (where purpose = 'marketing'),
  bool_or(purpose = 'data_processing'), max(at) filter (where purpose = 'data_processing'),
  (array_agg(version order by id desc))[1]
from newest where is_given group by user_id
"""


class ConsentDifference(NamedTuple):
    """A profile's column that is not what the answers of its user say."""

    user_id: int
    column: str
    stored: Any
    true: Any


def truth(user: User | None = None) -> dict[int, tuple[Any, ...]]:
    """The columns by user, of one or of all who gave anything. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_TRUTH, {"user": user.pk if user else None})
        return {user_id: tuple(values) for user_id, *values in cursor.fetchall()}


def project(user: User, *, actor: User | None, reason: str) -> None:
    """Set the columns of a profile to what the answers of its user say."""
    profile, _ = Profile.objects.get_or_create(user=user)
    for name, value in zip(COLUMNS, truth(user).get(user.pk, NOTHING_GIVEN), strict=True):
        setattr(profile, name, value)
    explain_change(profile, actor=actor, reason=reason)
    profile.save(update_fields=[*COLUMNS, "updated_at"])


def differences() -> list[ConsentDifference]:
    """Every column of a profile that the answers contradict. Two statements."""
    true = truth()
    unanswered = dict(zip(COLUMNS, NOTHING_GIVEN, strict=True))
    asked = Profile.objects.filter(pk__in=true) | Profile.objects.exclude(**unanswered)
    return [
        ConsentDifference(user_id, column, stored, wanted)
        for user_id, *values in asked.values_list("pk", *COLUMNS)
        for column, stored, wanted in zip(
            COLUMNS, values, true.get(user_id, NOTHING_GIVEN), strict=True
        )
        if stored != wanted
    ]


@transaction.atomic
def refresh() -> None:
    """Bring every profile in line."""
    for user in User.objects.filter(pk__in={row.user_id for row in differences()}):
        project(user, actor=None, reason="Brought in line with the consents given")
