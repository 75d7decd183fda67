from django.db import migrations

from genealogy.models.referral import REFERRAL_EDGES
from mlmcrm.triggers import append_only, frozen_when, status_edges

FACTS = ["referrer_id", "referred_id", "tier", "code_id", "click_id", "channel", "created_at"]
ENDS = ["first_order", "completed_at", "cancelled_at", "cancelled_reason"]


class Migration(migrations.Migration):
    """Who referred whom is never edited, a code never means somebody else, and who stands at a
    further tier is who referred the one at the tier before."""

    dependencies = [("genealogy", "0013_referrals")]

    operations = [
        append_only("genealogy_referralclick"),
        status_edges("genealogy_referral", REFERRAL_EDGES),
        frozen_when("genealogy_referral", "true", FACTS, "made_referral"),
        frozen_when("genealogy_referral", "old.status <> 'pending'", ENDS, "ended_referral"),
        frozen_when(
            "genealogy_referralcode", "true", ["distributor_id", "code", "created_at"], "given_code"
        ),
        frozen_when(
            "genealogy_referralcode",
            "not old.is_current",
            ["is_current"],
            "renewed_code",
        ),
        frozen_when(
            "genealogy_referralcode",
            "old.closed_at is not null",
            ["closed_at", "closed_by_id"],
            "closed_code",
        ),
        migrations.RunSQL(
            """
            create function genealogy_referral_tier() returns trigger language plpgsql as $$
            begin
              if new.tier > 1 and not exists (
                select 1 from genealogy_referral before
                join genealogy_referral above
                  on above.referred_id = before.referrer_id and above.tier = 1
                where before.referred_id = new.referred_id and before.tier = new.tier - 1
                  and above.referrer_id = new.referrer_id
              ) then
                raise exception 'genealogy_referral: nobody stands at this tier'
                  using errcode = '23514';
              end if;
              return new;
            end $$;
            create trigger genealogy_referral_tier before insert on genealogy_referral
              for each row execute function genealogy_referral_tier();
            """,
            """
            drop trigger genealogy_referral_tier on genealogy_referral;
            drop function genealogy_referral_tier();
            """,
        ),
    ]
