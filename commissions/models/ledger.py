from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Length, Mod
from django.db.models.lookups import Exact

from accounts.models import User
from commerce.models import VolumeEntry
from commissions.models.period import CommissionPeriod, CommissionRun
from commissions.models.plan import Bonus
from genealogy.models import Distributor
from mlmcrm.money import HundredthsField, RateField

PLACE_BITS = 32
"""A line's number is its run's, shifted by so many bits, plus its place in the run from 1 on."""


class LedgerEntryQuerySet(models.QuerySet["LedgerEntry"]):
    def visible_to(self, user: User) -> "LedgerEntryQuerySet":
        if user.has_perm("commissions.view_ledgerentry"):
            return self
        return self.filter(distributor__user=user)


class LedgerEntry(models.Model):
    """One commission line: who earned what, from which order line, at which level and rate.

    Stored in a table partitioned by run; only what is final is attached to it. The id tells run and
    place (PLACE_BITS), so it never repeats. Foreign keys are not enforced on this table: a run
    checks them in one set-based statement. Of runs and people it keeps 32 bits, the wide columns
    first: a line takes 92 bytes, and writing them is what a close takes longest for.
    """

    id = models.BigIntegerField(primary_key=True)
    run = models.ForeignKey(
        CommissionRun, models.PROTECT, db_constraint=False, related_name="entries", db_index=False
    )
    bonus = models.ForeignKey(
        Bonus, models.PROTECT, db_constraint=False, related_name="+", db_index=False
    )
    distributor = models.ForeignKey(
        Distributor, models.PROTECT, db_constraint=False, related_name="+", db_index=False
    )
    source_distributor = models.ForeignKey(
        Distributor,
        models.PROTECT,
        null=True,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    volume_entry = models.ForeignKey(
        VolumeEntry,
        models.PROTECT,
        null=True,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    level = models.SmallIntegerField()
    rank_level = models.SmallIntegerField(help_text="Paid-as rank of the earner, 0 for none.")
    base = HundredthsField()
    rate = RateField()
    amount = HundredthsField()
    reverses_id = models.BigIntegerField(null=True)

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "commissions_ledgerentry"
        verbose_name_plural = "ledger entries"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.amount} to {self.distributor_id}"

    @property
    def period(self) -> CommissionPeriod:
        """That of its run."""
        period: CommissionPeriod = self.run.period
        return period


class Standing(models.Model):
    """What a distributor had reached in a run: volumes, legs and rank, as of the cut-off."""

    pk = models.CompositePrimaryKey("run_id", "distributor_id")
    run = models.ForeignKey(CommissionRun, models.PROTECT, db_constraint=False, db_index=False)
    distributor = models.ForeignKey(
        Distributor, models.PROTECT, db_constraint=False, related_name="+", db_index=False
    )
    sponsor = models.ForeignKey(
        Distributor,
        models.PROTECT,
        null=True,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    pv = HundredthsField("PV")
    cv = HundredthsField("CV")
    gv = HundredthsField("GV")
    legs = models.IntegerField()
    active = models.BooleanField()
    rank_level = models.SmallIntegerField(help_text="Paid-as rank, 0 for none.")
    highest_level = models.SmallIntegerField()
    title_level = models.SmallIntegerField(help_text="The rank held, by the plan's own rules.")

    class Meta:
        managed = False
        db_table = "commissions_standing"

    def __str__(self) -> str:
        return f"{self.distributor_id} in run {self.run_id}"


class CarriedState(models.Model):
    """What a run carries on under one name: a figure a distributor, those that are not zero.

    Written with the run and read by the next period once the run is final: carried legs, volumes
    of earlier periods, what was paid once. `members` are ids, `figures` their figures, both packed
    as 64-bit integers, little end first.
    """

    run = models.ForeignKey(CommissionRun, models.PROTECT, related_name="state")
    key = models.CharField(max_length=100)
    members = models.BinaryField()
    figures = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "key"], name="commissions_carriedstate_key"),
            models.CheckConstraint(
                condition=Q(Exact(Length("members"), Length("figures")))
                & Q(Exact(Mod(Length("members"), Value(8)), Value(0))),
                name="commissions_carriedstate_as_many",
                violation_error_message="A figure a member, each of eight bytes.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} of run {self.run_id}"


class MeasuredPart(models.Model):
    """What a run measured beside the standings under one name, of the distributors of a range of
    ids: what the stories of its lines ask that others decide.

    Written with the run and thrown away with it. `part`: the range's number. `figures`: a figure
    for each id in it, zero where there is nobody, packed in one, two, four or eight bytes each,
    little end first. Ranges in which nobody has a figure are left out.
    """

    EACH = 512
    """Ids in a range."""

    pk = models.CompositePrimaryKey("run_id", "name", "part")
    run = models.ForeignKey(
        CommissionRun, models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    name = models.TextField()
    part = models.BigIntegerField()
    figures = models.BinaryField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    Exact(Length("figures"), 512)
                    | Exact(Length("figures"), 1024)
                    | Exact(Length("figures"), 2048)
                    | Exact(Length("figures"), 4096)
                ),
                name="commissions_measuredpart_whole",
                violation_error_message="A figure an id, each of one, two, four or eight bytes.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of part {self.part} in run {self.run_id}"


class VolumeClaim(models.Model):
    """A volume entry whose commission at payment is settled: each entry is claimed once."""

    volume_entry = models.OneToOneField(
        VolumeEntry, models.PROTECT, primary_key=True, related_name="claim"
    )
    run = models.ForeignKey(CommissionRun, models.PROTECT, related_name="+")
    claimed_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"claim of {self.volume_entry_id}"
