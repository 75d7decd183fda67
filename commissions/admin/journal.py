from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.admin_base import ReadOnlyAdmin, ReadOnlyInline
from accounts.templatetags.ui import money, signed_money
from commissions.models import JournalEntry, LedgerAccount, Posting


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin):
    list_display = ["id", "kind", "distributor", "money_balance"]
    list_filter = ["kind", "currency"]
    list_select_related = ["distributor"]
    search_fields = ["=distributor__number", "^distributor__display_name"]
    actions = None

    @admin.display(description="Balance", ordering="balance")
    def money_balance(self, account: LedgerAccount) -> SafeString:
        return money(account.balance, account.currency)


@admin.register(Posting)
class PostingAdmin(ReadOnlyAdmin):
    list_display = ["id", "entry", "account", "distributor", "money_amount"]
    list_select_related = ["entry", "account__distributor"]
    search_fields = ["=account__distributor__number", "=entry__key"]
    actions = None

    @admin.display(description="Distributor")
    def distributor(self, posting: Posting) -> str:
        return str(posting.account.distributor or "")

    @admin.display(description="Amount", ordering="amount")
    def money_amount(self, posting: Posting) -> SafeString:
        return signed_money(posting.amount, posting.account.currency)


class PostingInline(ReadOnlyInline):
    """The first legs of an entry; that of a period has one for each distributor."""

    model = Posting
    fields = ["account", "amount"]
    max_shown = 50

    def get_queryset(self, request):  # type: ignore[no-untyped-def]
        legs = super().get_queryset(request).select_related("account")
        entry = request.resolver_match.kwargs.get("object_id", "0")
        shown = Posting.objects.filter(entry_id=entry).order_by("pk")[: self.max_shown]
        return legs.filter(pk__in=list(shown.values_list("pk", flat=True)))


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    list_display = ["id", "occurred_at", "kind", "memo", "actor", "reverses"]
    list_filter = ["kind"]
    list_select_related = ["actor", "reverses"]
    search_fields = ["=key", "^memo"]
    date_hierarchy = "occurred_at"
    actions = None
    inlines = [PostingInline]
