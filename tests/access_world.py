"""One of everything, all of it Chloe's, for asking each route who may see it."""

import io
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.test import Client
from PIL import Image

from accounts.models import ConsentText, ImportJob, Notification, User
from accounts.services import consents
from commissions.earnings import reference
from commissions.models import LedgerEntry, PayoutBatch, PayoutFile, PlanVersion, Reward
from commissions.plan_tables import with_cells
from commissions.services import batches, payouts, trials
from commissions.services.claims import claim_volume
from commissions.services.drafts import copy_version, revise_draft
from commissions.services.payout_methods import MethodDetails, add_payout_method
from compliance.models import KYCDocument
from compliance.services.images import clean_picture
from compliance.services.kyc import submit_document, verify_document
from genealogy.models import PlacementRule, Referral, Waiting
from genealogy.services import exports
from genealogy.services.enrolment import enrol_distributor
from genealogy.services.referrals import find_claim
from genealogy.services.teams import add_member, create_team
from tests.cast import Cast, at
from tests.commissions.plans import WATCH, demo, pay_by
from tests.genealogy.joining import begun
from tests.genealogy.moving import asked as move_to_come
from tests.genealogy.moving import tomorrow

VIEWERS = {
    "own": "chloe",
    "up": "ben",
    "down": "dmitri",
    "other": "stella",
    "admin": "ada",
    "manager": "mona",
    "support": "sam",
    "finance": "fiona",
    "auditor": "otto",
}


@dataclass
class World:
    cast: Cast
    things: dict[str, Any] = field(default_factory=dict)
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)

    def sign_everybody_in(self) -> None:
        for viewpoint, name in VIEWERS.items():
            client = Client()
            client.force_login(self.cast.user(name))
            self.cookies[viewpoint] = {key: morsel.value for key, morsel in client.cookies.items()}

    def arguments(self, words: str) -> dict[str, object]:
        """`number=payout.number` becomes the payout's number; `-` is nothing."""
        pairs = [word.split("=") for word in words.split(",") if word != "-"]
        return {name: self._value(path) for name, path in pairs}

    def _value(self, path: str) -> object:
        name, _, attribute = path.partition(".")
        return getattr(self.things[name], attribute) if attribute else name

    def row_of(self, model: type[Model]) -> object:
        row = model._default_manager.first()
        return row.pk if row else None


def picture(colour: str = "navy") -> SimpleUploadedFile:
    raw = io.BytesIO()
    Image.new("RGB", (640, 400), colour).save(raw, "PNG")
    return SimpleUploadedFile("card.png", raw.getvalue(), content_type="image/png")


def identified(user: User, reviewer: User) -> KYCDocument:
    document = submit_document(
        user=user,
        declared={
            "document_type": "passport",
            "full_name": user.get_full_name(),
            "date_of_birth": date(1990, 4, 1),
            "address_line": "1 Quay Street",
            "city": "Bristol",
            "postal_code": "BS1 4DB",
            "country": "GB",
            "expires_on": date(2034, 4, 1),
        },
        number="925076473",
        front=clean_picture(picture()),
        back=None,
    )
    return verify_document(document=document, actor=reviewer)


def bank_details(name: str) -> MethodDetails:
    return MethodDetails(
        kind="bank_transfer",
        holder_name=name,
        details={"sort_code": "010203", "account_number": "12345678", "country": "GB"},
        identifier="010203|12345678",
        shown="12345678",
    )


def generous_draft(cast: Cast) -> PlanVersion:
    """Mona's draft that pays 3 % at payment instead of 2 %."""
    copied = copy_version(
        version=cast.plan, effective_from=date(2030, 1, 1), actor=cast.user("mona")
    )
    definition = with_cells(copied.definition, {"$.bonuses[0].rates.table[0]": "3"})
    return revise_draft(
        version=copied,
        definition=definition,
        effective_from=copied.effective_from,
        actor=cast.user("mona"),
    )


def build(cast: Cast) -> World:
    """October is final, November open; Chloe is verified, was given a watch for her rank, and a
    payout of hers is in a batch."""
    cast.plan = pay_by(cast, demo() | {"bonuses": [*demo()["bonuses"], WATCH]})
    cast.buys("chloe", 6, at("2026-10-06"))
    order = cast.buys(cast.rosa, 4, at("2026-10-08"))
    claim_volume()
    october = cast.close("2026-10")
    chloe = cast.user("chloe")
    enrol_distributor(
        sponsor=cast.chloe,
        display_name="Eve Lind",
        joined_on=date(2026, 11, 2),
        actor=None,
        claim=find_claim(code=cast.user("chloe").referral_code),
    )
    team = create_team(
        name="Harbour", lead=cast.chloe, actor=chloe, monthly_target=Decimal("50.00")
    )
    add_member(team=team, distributor=cast.dmitri, actor=chloe)
    cast.buys("dmitri", 3, at("2026-11-03"))
    claim_volume()
    document = identified(chloe, cast.user("sam"))
    method = add_payout_method(
        distributor=cast.chloe, details=bank_details("Chloe Martin"), actor=chloe
    )
    type(method).objects.filter(pk=method.pk).update(created_at=at("2026-01-05"))
    asked = [
        payouts.request_payout(
            distributor=cast.chloe,
            method=method,
            amount=Decimal("10.00"),
            request_key=uuid4(),
            actor=chloe,
        )
        for _ in range(2)
    ]
    batch = exported(cast, asked[0])
    line = LedgerEntry.objects.select_related("run").filter(distributor=cast.chloe).latest("pk")
    version = generous_draft(cast)
    trial = trials.start_trial(
        version=version, first=october, last=october, actor=cast.user("fiona")
    )
    trials.carry_out(trial.pk)
    trial.refresh_from_db()
    export = exports.order_export(root=cast.chloe, filters={}, columns=["rank"], actor=chloe)
    exports.make_export(export.pk)
    PlacementRule.objects.create(width=2, waiting_days=None)
    Waiting.objects.create(distributor=cast.dmitri)
    text = agreed_text(chloe)
    things = {
        "begun": begun(cast.chloe, by=chloe),
        "text": text,
        "chloe": cast.chloe,
        "dmitri": cast.dmitri,
        "team": team,
        "account": chloe,
        "order": order,
        "move": move_to_come(cast, "chloe", "asha", effective_on=tomorrow()),
        "referral": Referral.objects.get(referrer=cast.chloe),
        "code": cast.chloe.referral_codes.get(),
        "period": october,
        "line": SimpleNamespace(name=reference(line)),
        "run": october.runs.get(kind="close"),
        "document": document,
        "image": document.images.get(),
        "method": method,
        "payout": asked[0],
        "open_payout": asked[1],
        "batch": batch,
        "trial": trial,
        "reward": Reward.objects.get(distributor=cast.chloe),
        "export": export,
        "version": version,
        "file": PayoutFile.objects.filter(batch=batch, format="csv").get(),
        "notification": Notification.objects.filter(user=chloe)
        .select_related("event")
        .latest("pk"),
        "job": ImportJob.objects.create(
            kind="orders", file_name="orders.csv", on_error="skip", created_by=cast.user("ada")
        ),
    }
    world = World(cast, things)
    world.sign_everybody_in()
    return world


def agreed_text(user: User) -> ConsentText:
    """The agreement, and the user's yes to it."""
    text = ConsentText.objects.create(
        purpose="distributor_agreement",
        version="1",
        title="Distributor agreement",
        body="You sell what we make.",
        effective_from=date(2026, 1, 1),
    )
    consents.give(user=user, text=text, actor=user, channel="portal")
    return text


def exported(cast: Cast, payout) -> PayoutBatch:
    fiona, felix = cast.user("fiona"), cast.user("felix")
    payouts.approve_payout(payout=payout, actor=fiona)
    batch = batches.create_batch(payouts=[payout.pk], actor=fiona)
    batch = batches.submit_batch(batch=batch, actor=fiona)
    batch = batches.approve_batch(batch=batch, actor=felix, seen_hash=batch.content_hash)
    return batches.export_batch(batch=batch, actor=felix)
