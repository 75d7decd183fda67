"""What the shell around every page needs to know: who reads, where they may go, what waits."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property

from accounts.models import Notification, User
from accounts.queries import start_cursor


@dataclass
class Item:
    label: str
    icon: str
    url: str
    is_current: bool = False


@dataclass
class Section:
    label: str
    links: list[Item]


def distributor(user: User) -> bool:
    return user.role == User.Role.DISTRIBUTOR


def anyone(user: User) -> bool:
    return True


def may(permission: str) -> Callable[[User], bool]:
    return lambda user: user.is_staff and user.has_perm(permission)


def staff(user: User) -> bool:
    return bool(user.is_staff)


# Section, then label, icon, url name and who sees it. Names that do not resolve are left out.
MENU: list[tuple[str, list[tuple[str, str, str, Callable[[User], bool]]]]] = [
    (
        "",
        [
            ("Dashboard", "layout-dashboard", "home", anyone),
            ("Genealogy", "network", "genealogy:list", distributor),
            ("Referrals", "user-plus", "genealogy:referrals", distributor),
            ("Team", "users", "genealogy:teams", distributor),
            ("Orders", "shopping-bag", "commerce:orders", distributor),
            ("Earnings", "coins", "commissions:earnings", distributor),
            ("Ranks", "medal", "commissions:ranks", distributor),
            ("Payouts", "wallet", "commissions:payouts", distributor),
            ("Plan", "ruler", "commissions:plan", distributor),
            ("Identity", "id-card", "compliance:identity", distributor),
            ("Privacy and contact", "lock", "accounts:privacy", anyone),
            ("Notifications", "bell", "accounts:notifications", anyone),
        ],
    ),
    (
        "Money",
        [
            (
                "Periods",
                "calendar-check",
                "admin:commissions_commissionperiod_changelist",
                may("commissions.view_commissionperiod"),
            ),
            (
                "Payouts",
                "wallet",
                "admin:commissions_payout_changelist",
                may("commissions.view_payout"),
            ),
            (
                "Payout batches",
                "layers",
                "admin:commissions_payoutbatch_changelist",
                may("commissions.view_payoutbatch"),
            ),
            (
                "Rewards",
                "gift",
                "admin:commissions_reward_changelist",
                may("commissions.view_reward"),
            ),
            (
                "Ledger",
                "scroll-text",
                "admin:commissions_ledgerentry_changelist",
                may("commissions.view_ledgerentry"),
            ),
            (
                "Plans",
                "ruler",
                "admin:commissions_planversion_changelist",
                may("commissions.view_planversion"),
            ),
        ],
    ),
    (
        "People",
        [
            (
                "Distributors",
                "network",
                "admin:genealogy_distributor_changelist",
                may("genealogy.view_distributor"),
            ),
            (
                "Referrals",
                "user-plus",
                "admin:genealogy_referral_changelist",
                may("genealogy.view_referral"),
            ),
            (
                "Enrolments",
                "mail",
                "admin:genealogy_enrolment_changelist",
                may("genealogy.view_enrolment"),
            ),
            (
                "Territories",
                "map",
                "admin:genealogy_territory_changelist",
                may("genealogy.view_territory"),
            ),
            ("Teams", "users", "admin:genealogy_team_changelist", may("genealogy.view_team")),
            (
                "Identity review",
                "id-card",
                "admin:compliance_kycdocument_changelist",
                may("compliance.view_kycdocument"),
            ),
            ("Users", "users", "admin:accounts_user_changelist", may("accounts.view_user")),
        ],
    ),
    (
        "Sales",
        [
            (
                "Orders",
                "shopping-bag",
                "admin:commerce_order_changelist",
                may("commerce.view_order"),
            ),
            (
                "Customers",
                "contact",
                "admin:commerce_customer_changelist",
                may("commerce.view_customer"),
            ),
            (
                "Products",
                "package",
                "admin:commerce_product_changelist",
                may("commerce.view_product"),
            ),
        ],
    ),
    (
        "Records",
        [
            (
                "Imports",
                "file-up",
                "admin:accounts_importjob_changelist",
                may("accounts.view_importjob"),
            ),
            (
                "Consent texts",
                "file-text",
                "admin:accounts_consenttext_changelist",
                may("accounts.view_consenttext"),
            ),
            (
                "Audit",
                "shield-check",
                "admin:accounts_auditevent_changelist",
                may("accounts.view_auditevent"),
            ),
            ("All records", "database", "admin:index", staff),
        ],
    ),
]

ACCOUNT_LINKS = [
    ("E-mail addresses", "at-sign", "account_email"),
    ("Change password", "key-round", "account_change_password"),
]


def address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def navigation(request: HttpRequest) -> list[Section]:
    """The sections of the side navigation for the reader, the current item marked."""
    user: Any = request.user
    if not user.is_authenticated:
        return []
    sections = []
    for label, rows in MENU:
        links = [
            Item(text, icon, url)
            for text, icon, name, is_shown in rows
            if is_shown(user) and (url := address(name))
        ]
        if links:
            sections.append(Section(label, links))
    _mark_current(request.path, [item for section in sections for item in section.links])
    return sections


def _mark_current(path: str, items: list[Item]) -> None:
    """The item with the longest address that the path begins with; home matches only itself."""
    home = {address("home"), address("admin:index")}
    fitting = [
        item
        for item in items
        if path == item.url or (item.url not in home and path.startswith(item.url))
    ]
    if fitting:
        max(fitting, key=lambda item: len(item.url)).is_current = True


class Shell:
    """Asked by the templates, answered once, and only when asked."""

    company: str = settings.COMPANY_NAME
    live_path = "/ws/events/"

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def _user(self) -> Any:
        return self._request.user

    @cached_property
    def sections(self) -> list[Section]:
        return navigation(self._request)

    @cached_property
    def home_url(self) -> str:
        return address("home") or "/"

    @cached_property
    def sign_out_url(self) -> str:
        return address("account_logout")

    @cached_property
    def bell_url(self) -> str:
        return address("accounts:notifications")

    @cached_property
    def bell_fragment(self) -> str:
        return address("accounts:bell")

    @cached_property
    def account_links(self) -> list[Item]:
        return [
            Item(label, icon, url) for label, icon, name in ACCOUNT_LINKS if (url := address(name))
        ]

    @cached_property
    def person(self) -> str:
        profile = getattr(self._user, "profile", None)
        for name in (getattr(profile, "full_name", ""), self._user.username):
            if name:
                return str(name)
        return str(self._user.email.partition("@")[0])

    @cached_property
    def role(self) -> str:
        return str(self._user.get_role_display()) if self._user.is_staff else ""

    @cached_property
    def unread(self) -> int:
        return Notification.objects.visible_to(self._user).unread().count()

    @cached_property
    def live_cursor(self) -> str:
        """Where the reader's streams stood before the view read its data."""
        seen = getattr(self._request, "live_cursor", None)
        return json.dumps(start_cursor(self._user) if seen is None else seen)


def shell(request: HttpRequest) -> dict[str, Shell]:
    """The context processor."""
    return {"shell": Shell(request)}
