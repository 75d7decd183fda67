"""The admin screens of the app, a module for each topic."""

from commissions.admin import batch, journal, ledger, payout, period, plan, trial

__all__ = ["batch", "journal", "ledger", "payout", "period", "plan", "trial"]
