from django.db import models
from django.db.models import Q

from accounts.models import User
from genealogy.models import Distributor
from mlmcrm.money import HundredthsField


class LedgerAccountQuerySet(models.QuerySet["LedgerAccount"]):
    def visible_to(self, user: User) -> "LedgerAccountQuerySet":
        if user.has_perm("commissions.view_ledgeraccount"):
            return self
        return self.filter(distributor__user=user)


class LedgerAccount(models.Model):
    """A place where money is held: a distributor's wallet, or one of the company's accounts.

    Only wallets and receivables keep a balance column, because a rule needs it (a wallet is never
    below zero); the company's accounts are summed from their postings.
    """

    class Kind(models.TextChoices):
        WALLET = "wallet", "Wallet"
        RECEIVABLE = "receivable", "Receivable"
        COMMISSION_EXPENSE = "commission_expense", "Commission expense"
        PAYOUTS_IN_TRANSIT = "payouts_in_transit", "Payouts in transit"
        BANK = "bank", "Bank"
        TAX_PAYABLE = "tax_payable", "Tax payable"
        FEES = "fees", "Payout fees"

    kind = models.CharField(max_length=18, choices=Kind)
    distributor = models.ForeignKey(
        Distributor, models.PROTECT, null=True, related_name="ledger_accounts"
    )
    currency = models.CharField(max_length=3)
    balance = HundredthsField(default=0, db_default=0)

    objects = LedgerAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "distributor", "currency"],
                nulls_distinct=False,
                name="commissions_ledgeraccount_unique",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "wallet",
                        "receivable",
                        "commission_expense",
                        "payouts_in_transit",
                        "bank",
                        "tax_payable",
                        "fees",
                    ]
                ),
                name="commissions_ledgeraccount_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["wallet", "receivable"], distributor__isnull=False)
                | (~Q(kind__in=["wallet", "receivable"]) & Q(distributor__isnull=True, balance=0)),
                name="commissions_ledgeraccount_owner",
            ),
            models.CheckConstraint(
                condition=~Q(kind="wallet") | Q(balance__gte=0),
                name="commissions_ledgeraccount_wallet_not_below_zero",
                violation_error_message="The wallet does not hold this much.",
            ),
            models.CheckConstraint(
                condition=~Q(kind="receivable") | Q(balance__lte=0),
                name="commissions_ledgeraccount_receivable_is_debt",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class JournalEntry(models.Model):
    """One movement of money, all of whose postings add up to zero. Append-only.

    The key names the business fact, so the same fact is never posted twice.
    """

    key = models.CharField(max_length=100, unique=True)
    request_hash = models.CharField(max_length=64)
    kind = models.CharField(max_length=30)
    memo = models.CharField(max_length=200)
    reverses = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="reversed_by_entry"
    )
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    occurred_at = models.DateTimeField(auto_now_add=True)
    # created_xid xid8 is added by migration: postings may only join in the same transaction.

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "journal entries"
        indexes = [models.Index(fields=["kind", "-id"], name="commissions_journal_kind")]

    def __str__(self) -> str:
        return self.memo


class Posting(models.Model):
    """One leg of a journal entry. Positive: the account holds more; negative: less. Append-only."""

    entry = models.ForeignKey(JournalEntry, models.PROTECT, related_name="postings")
    account = models.ForeignKey(
        LedgerAccount, models.PROTECT, related_name="postings", db_index=False
    )
    amount = HundredthsField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["account", "-id"], name="commissions_posting_account")]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="commissions_posting_not_zero")
        ]

    def __str__(self) -> str:
        return f"{self.amount}"
