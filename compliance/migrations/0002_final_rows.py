from django.db import migrations

from compliance.models.kyc import KYC_EDGES
from mlmcrm.triggers import append_only, frozen_when, status_edges

DECLARED = [
    "user_id",
    "document_type",
    "token",
    "document_number_sealed",
    "document_number_last4",
    "full_name",
    "date_of_birth",
    "address_line",
    "city",
    "postal_code",
    "country",
    "expires_on",
    "submitted_at",
]


class Migration(migrations.Migration):
    dependencies = [("compliance", "0001_initial")]

    operations = [
        status_edges("compliance_kycdocument", KYC_EDGES),
        frozen_when("compliance_kycdocument", "true", DECLARED, "submitted_document"),
        append_only("compliance_kycimage"),
    ]
