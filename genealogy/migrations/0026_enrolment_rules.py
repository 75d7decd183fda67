from django.db import migrations

from genealogy.models.enrolment import ENROLMENT_EDGES
from mlmcrm.triggers import frozen_when, status_edges

FACTS = ["number", "started_by_id", "is_sign_in", "created_at"]
ALL = [
    "distributor_id",
    "code_id",
    "click_id",
    "placement",
    "place_parent_id",
    "place_leg",
    "agreed_at",
    "paper_signed_on",
    "link_digest",
    "link_sent_at",
    "messages_sent",
    "confirmed_at",
    "expires_at",
    "ended_at",
    "ended_reason",
]


class Migration(migrations.Migration):
    """An enrolment goes its way once: what is over stays as it is, and says who began it."""

    dependencies = [("genealogy", "0025_enrolments")]

    operations = [
        migrations.RunSQL("create sequence number_enrolment", "drop sequence number_enrolment"),
        status_edges("genealogy_enrolment", ENROLMENT_EDGES),
        frozen_when("genealogy_enrolment", "true", FACTS, "begun_enrolment"),
        frozen_when("genealogy_enrolment", "old.ended_at is not null", ALL, "ended_enrolment"),
    ]
