"""The registry of events: in which words each is told, and which of the staff hear of it."""

from dataclasses import dataclass
from functools import cached_property
from string import Formatter


@dataclass(frozen=True)
class EventType:
    """`title` and `body` are filled from the facts; `{money}` is amount and currency together.

    `staff_title` and `staff_url` are what the staff read instead, where the words differ. An event
    that is fleeting only makes open pages ask again, and is kept for a day.
    """

    title: str
    body: str = ""
    url: str = ""
    notify: bool = True
    is_fleeting: bool = False
    staff_title: str = ""
    staff_url: str = ""

    @cached_property
    def needs(self) -> frozenset[str]:
        """The facts its words speak of."""
        texts = f"{self.title} {self.body} {self.staff_title}"
        names = {name for _, name, _, _ in Formatter().parse(texts) if name}
        return frozenset(
            names - {"money"} | ({"amount", "currency"} if "money" in names else set())
        )


EVENTS: dict[str, EventType] = {
    "user.registered": EventType(
        "Your account is open", "Welcome.", staff_title="{person} has an account now"
    ),
    "user.suspended": EventType(
        "Your account is suspended", "{reason}", staff_title="{person} is suspended"
    ),
    "user.reactivated": EventType(
        "Your account is active again", staff_title="{person} is active again"
    ),
    "user.role_changed": EventType(
        "Your role is now {role}", staff_title="{person} has the role {role} now"
    ),
    "order.paid": EventType("Order {order} is paid", "{money}", notify=False),
    "order.refunded": EventType(
        "Order {order} was refunded", "{money} went back to the customer.", notify=False
    ),
    "commission.earned": EventType(
        "You earned {money}", "{bonus} on order {order}.", "commissions:earnings"
    ),
    "commission.reversed": EventType(
        "{money} was taken back", "Order {order} was refunded.", "commissions:earnings"
    ),
    "commission.estimated": EventType(
        "Your estimated commissions changed", notify=False, is_fleeting=True
    ),
    "commission.approved": EventType(
        "Your commission for {period} is final: {money}",
        "It is in your wallet now.",
        "commissions:earnings",
    ),
    "commission.paid": EventType(
        "{money} was paid to you", "Payout {payout}.", "commissions:payouts", notify=False
    ),
    "payout.requested": EventType(
        "Payout {payout} is requested", "{money} is set aside.", "commissions:payouts"
    ),
    "payout.approved": EventType("Payout {payout} is approved", "{money}", "commissions:payouts"),
    "payout.processing": EventType(
        "Payout {payout} is on its way", "{money} goes to {method}.", "commissions:payouts"
    ),
    "payout.completed": EventType(
        "Payout {payout} has been paid", "{money} arrived at {method}.", "commissions:payouts"
    ),
    "payout.failed": EventType(
        "Payout {payout} failed",
        "{reason} The money is back in your wallet.",
        "commissions:payouts",
    ),
    "payout.returned": EventType(
        "Payout {payout} came back",
        "{reason} The money is back in your wallet.",
        "commissions:payouts",
    ),
    "payout.cancelled": EventType(
        "Payout {payout} was cancelled",
        "{reason} The money is back in your wallet.",
        "commissions:payouts",
    ),
    "payout_method.changed": EventType(
        "Your payout method was changed",
        "Payouts go to {method} now. If that was not you, tell support at once.",
        "commissions:payout_methods",
    ),
    "payout_batch.changed": EventType(
        "Batch {batch} was {deed}", "{money} in all.", "", notify=False
    ),
    "kyc.submitted": EventType(
        "Your {document} was received",
        "You will hear from us when it has been checked.",
        "compliance:identity",
        staff_title="{document} of {person} waits for review",
        staff_url="admin:compliance_kycdocument_changelist",
    ),
    "kyc.verified": EventType(
        "Your identity is verified",
        "You can ask for payouts now.",
        "compliance:identity",
        staff_title="{document} of {person} is verified",
    ),
    "kyc.rejected": EventType(
        "Your {document} was not accepted",
        "{reason}",
        "compliance:identity",
        staff_title="{document} of {person} was not accepted",
    ),
    "kyc.expired": EventType(
        "Your {document} has expired",
        "Please send a valid one.",
        "compliance:identity",
        staff_title="{document} of {person} has expired",
    ),
    "referral.created": EventType(
        "{person} joined with your code",
        "The referral is completed by a first paid order.",
        "genealogy:referrals",
        staff_title="{person} joined with the code of {referrer}",
    ),
    "referral.activated": EventType(
        "Your referral of {person} is completed",
        "The first order is paid.",
        "genealogy:referrals",
        staff_title="The referral of {person} by {referrer} is completed",
    ),
    "referral.cancelled": EventType(
        "Your referral of {person} was cancelled",
        "{reason}",
        "genealogy:referrals",
        staff_title="The referral of {person} by {referrer} was cancelled",
    ),
    "team.created": EventType("The team {team} is founded", "", "genealogy:teams"),
    "team.updated": EventType("Your team {team} was changed", "{what}", "genealogy:teams"),
    "team.member_added": EventType("{person} is in the team {team} now", "", "genealogy:teams"),
    "team.member_removed": EventType("{person} left the team {team}", "", "genealogy:teams"),
    "level.promoted": EventType(
        "You reached {rank}", "Paid as {rank} for {period}.", "commissions:ranks"
    ),
    "level.demoted": EventType("Your paid-as rank is {rank}", "For {period}.", "commissions:ranks"),
    "incentive.awarded": EventType(
        "You were given {reward}", "For {period}; it carries no money.", "commissions:rewards"
    ),
    "incentive.claimed": EventType(
        "{reward} is claimed",
        "You hear from the company when it is on its way.",
        "commissions:rewards",
        staff_title="{person} claims {reward}",
        staff_url="admin:commissions_reward_changelist",
    ),
    "incentive.delivered": EventType("{reward} is delivered", "{reason}", "commissions:rewards"),
    "incentive.withdrawn": EventType("{reward} is withdrawn", "{reason}", "commissions:rewards"),
    "period.closed": EventType("{period} is closed", notify=False),
    "period.calculated": EventType("{period} is calculated", "{money} in total.", notify=False),
    "period.failed": EventType("The calculation of {period} failed", "{reason}", notify=False),
    "period.approved": EventType("{period} is approved", notify=False),
    "period.finalized": EventType("{period} is final", "{money} in total.", notify=False),
    "distributor.moved": EventType(
        "Your sponsor is now {sponsor}",
        "From {day} on.",
        "genealogy:list",
        staff_title="{person} stands under {sponsor} from {day} on",
    ),
    "distributor.placed": EventType(
        "{person} has a place in the placement tree", "Leg {leg} of {above}.", "genealogy:drawn"
    ),
    "enrolment.place_taken": EventType(
        "The place that you chose for {person} was taken meanwhile",
        "Choose another one while there is time.",
        "genealogy:waiting",
    ),
    "distributor.terminated": EventType(
        "Your membership has ended",
        "What you earned until now is still paid.",
        staff_title="{person} has left the company",
    ),
    "export.finished": EventType("Your export is ready", "{outcome}", "genealogy:exports"),
    "export.failed": EventType("Your export failed", "{reason}", "genealogy:exports"),
    "import.finished": EventType("{file} is imported", "{outcome}", notify=False),
}

# Which of the staff hear of what: those who may see the thing itself.
STAFF_PERMISSIONS = {
    "user": "accounts.view_user",
    "order": "commerce.view_order",
    "commission": "commissions.view_ledgerentry",
    "payout": "commissions.view_payout",
    "payout_method": "commissions.view_payoutmethod",
    "payout_batch": "commissions.view_payoutbatch",
    "kyc": "compliance.view_kycdocument",
    "referral": "genealogy.view_referral",
    "team": "genealogy.view_team",
    "level": "genealogy.view_distributor",
    "distributor": "genealogy.view_distributor",
    "incentive": "commissions.view_reward",
    "enrolment": "genealogy.view_enrolment",
    "period": "commissions.view_commissionperiod",
    "import": "accounts.view_importjob",
    "export": "accounts.view_auditevent",
}
