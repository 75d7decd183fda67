"""The admin screens of the app, a module for each topic."""

from commissions.admin import attribute, batch, journal, ledger, payout, period, plan, reward, trial

__all__ = ["attribute", "batch", "journal", "ledger", "payout", "period", "plan", "reward", "trial"]
