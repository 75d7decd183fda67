"""What each role may do, as one table. Django's groups and permissions carry it underneath.

A user holds exactly the permissions of the group named like his role, so a change of role acts
on the next request. Rows are a different matter: `Model.objects.visible_to(user)`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.apps import AppConfig
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from accounts.models import User

VIEWABLE = {
    "accounts": "user profile importjob notification consent consenttext",
    "genealogy": "distributor rank distributorposition move placementrule "
    "placementpreference waiting distributorattribute referral referralcode referralclick "
    "referralprogram team teammembership territory territoryassignment enrolment",
    "commerce": "customer product productcategory order orderitem payment refund refunditem "
    "volumeentry",
    "commissions": "compensationplan planversion bonus commissionperiod commissionrun ledgerentry "
    "ledgeraccount journalentry posting payoutmethod payout payoutbatch payoutfile statusfile "
    "plantrial estimatedifference reward",
}
VIEW_ALL = " ".join(f"{app}.{name}" for app, names in VIEWABLE.items() for name in names.split())


def _each(action: str, models: str) -> set[str]:
    return {
        f"{app}.{action}_{model}" for app, model in (name.split(".") for name in models.split())
    }


MASTERS = "genealogy.distributor commerce.customer commerce.product commerce.productcategory"
MOVERS = {
    "genealogy.add_move",
    "genealogy.approve_move",
    "genealogy.terminate_distributor",
    "genealogy.change_enrolment",
}

ROLE_PERMISSIONS: dict[str, set[str]] = {
    User.Role.DISTRIBUTOR: set(),
    User.Role.ADMIN: _each("view", VIEW_ALL)
    | _each("view", "accounts.auditevent accounts.event compliance.kycdocument")
    | _each("change", "accounts.user accounts.profile genealogy.rank " + MASTERS)
    | _each(
        "add",
        "accounts.user accounts.consent accounts.consenttext accounts.importjob genealogy.rank",
    )
    | _each("add", MASTERS)
    | _each("add", "genealogy.placementrule")
    | _each("change", "genealogy.placementrule")
    | MOVERS
    | _each("add", "commissions.compensationplan commissions.planversion")
    | _each("change", "commissions.compensationplan commissions.planversion")
    | _each("add", "commissions.plantrial genealogy.distributorattribute")
    | _each("change", "genealogy.referralprogram genealogy.team genealogy.territory")
    | _each("add", "genealogy.territory genealogy.territoryassignment")
    | {
        "compliance.review_kycdocument",
        "commerce.pay_order",
        "commerce.refund_order",
        "genealogy.cancel_referral",
    },
    User.Role.MANAGER: _each("view", VIEW_ALL)
    | _each("change", MASTERS)
    | _each("add", "accounts.importjob genealogy.distributorattribute " + MASTERS)
    | _each("change", "genealogy.team genealogy.territory")
    | _each("add", "genealogy.territory genealogy.territoryassignment")
    | MOVERS
    | {
        "commerce.pay_order",
        "commerce.refund_order",
        "commissions.settle_reward",
        "genealogy.cancel_referral",
    },
    User.Role.SUPPORT: _each("view", "accounts.user accounts.profile genealogy.distributor")
    | _each("view", "accounts.consent accounts.consenttext")
    | _each("add", "accounts.consent")
    | _each("view", "genealogy.referral genealogy.referralcode genealogy.team")
    | _each("view", "genealogy.territory genealogy.territoryassignment genealogy.enrolment")
    | _each("view", "genealogy.rank commerce.customer commerce.product commerce.order")
    | _each("view", "commerce.orderitem commerce.refund commerce.payment compliance.kycdocument")
    | _each("change", "commerce.customer genealogy.enrolment")
    | {"compliance.review_kycdocument"},
    User.Role.FINANCE: _each("view", VIEW_ALL)
    | {
        "commissions.add_payoutbatch",
        "commissions.add_plantrial",
        "commissions.approve_payout",
        "commissions.approve_payoutbatch",
        "commissions.close_period",
        "commissions.approve_period",
        "commissions.finalize_period",
        "commissions.settle_reward",
        "commerce.pay_order",
        "commerce.refund_order",
    },
    User.Role.AUDITOR: _each("view", VIEW_ALL)
    | _each("view", "accounts.auditevent accounts.event compliance.kycdocument"),
}


def sync_role_groups(sender: AppConfig, using: str = "default", **kwargs: Any) -> None:
    """After migrate: make each role's group hold exactly the permissions of the table."""
    from django.contrib.auth.models import Group, Permission  # models are loaded by now

    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.using(using).select_related("content_type")
    }
    for role, wanted in ROLE_PERMISSIONS.items():
        group, _ = Group.objects.using(using).get_or_create(name=role)
        group.permissions.set(known[name] for name in wanted if name in known)


def require(user: Any, permission: str) -> None:
    """Raise PermissionDenied unless the user holds the permission."""
    if not user.has_perm(permission):
        raise PermissionDenied


def permission_required(permission: str) -> Callable[..., Any]:
    """A view only for those who hold the permission; everybody else gets 403."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            require(request.user, permission)
            return view(request, *args, **kwargs)

        return checked

    return decorate
