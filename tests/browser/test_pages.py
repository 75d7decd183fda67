"""Every page of the main path, wide and narrow, light and dark: readable, nothing off the page.

The browser fixture fails a test on any violation of the content security policy by itself.
"""

import pytest

from tests.access_world import build
from tests.browser.looks import WIDTHS, faults_of
from tests.cast import gather

PAGES = {
    None: [
        "/accounts/login/",
        "/accounts/password/reset/",
        "/accounts/signup/",
        "/r/",
        "/r/{code.code}",
    ],
    "chloe": [
        "/",
        "/payouts/",
        "/payouts/new/",
        "/payouts/methods/",
        "/payouts/methods/new/",
        "/payouts/{payout.number}/",
        "/payouts/{open_payout.number}/cancel/",
        "/identity/",
        "/notifications/",
        "/plan/",
        "/referrals/",
        "/referrals/?tier=2",
        "/referrals/renew/",
        "/teams/{team.number}/",
        "/teams/{team.number}/edit/",
        "/teams/{team.number}/members/add/",
        "/teams/{team.number}/members/{dmitri.number}/remove/",
        "/earnings/{period.code}/",
        "/earnings/{period.code}/{line.name}/",
        "/rewards/",
        "/rewards/{period.code}/{reward.reference}/",
    ],
    "stella": [
        "/teams/",
        "/teams/new/",
        "/",
        "/earnings/",
        "/payouts/",
        "/identity/",
        "/orders/",
        "/notifications/",
    ],
    "felix": [
        "/",
        "/admin/",
        "/admin/commissions/commissionperiod/",
        "/admin/commissions/commissionperiod/{period.pk}/control-room/",
        "/admin/commissions/payout/",
        "/admin/commissions/payout/{open_payout.number}/desk/",
        "/admin/commissions/payout/{open_payout.number}/desk/?confirm=refuse",
        "/admin/commissions/payoutbatch/",
        "/admin/commissions/payoutbatch/{batch.number}/desk/",
        "/admin/commissions/ledgerentry/",
        "/admin/commissions/reward/",
        "/admin/commissions/reward/{reward.pk}/desk/",
        "/admin/commerce/order/",
        "/admin/commerce/order/{order.number}/desk/",
    ],
    "ada": [
        "/admin/compliance/kycdocument/?status=all",
        "/admin/compliance/kycdocument/{document.number}/review/",
        "/admin/accounts/user/",
        "/admin/accounts/importjob/",
        "/admin/accounts/importjob/add/",
        "/admin/genealogy/distributor/",
        "/teams/{team.number}/",
        "/teams/{team.number}/suspend/",
        "/admin/genealogy/team/",
        "/admin/genealogy/referral/",
        "/admin/genealogy/referral/{referral.pk}/change/",
        "/admin/genealogy/referral/{referral.pk}/cancel/",
        "/admin/genealogy/distributor/{chloe.pk}/change/",
        "/admin/commissions/planversion/add/",
        "/admin/commissions/planversion/{version.pk}/plan/",
        "/admin/commissions/planversion/{version.pk}/plan/edit/",
        "/admin/commissions/planversion/language/",
        "/admin/commissions/plantrial/",
        "/admin/commissions/plantrial/add/",
        "/admin/commissions/plantrial/{trial.pk}/report/",
        "/admin/accounts/auditevent/",
    ],
}


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_of_the_path_is_readable_by_everybody(live, new_page, width):
    world = build(gather())
    faults = []

    for name, addresses in PAGES.items():
        reader = world.cast.user(name) if name else None
        page = new_page(reader, width=width)
        for address in addresses:
            url = address.format(**world.things)
            assert page.goto(url).status == 200, url
            faults += [(url, fault) for fault in faults_of(page)]

    assert faults == [], "\n".join(map(str, faults))
