"""The admin screens of the app, a module for each topic."""

from commissions.admin import ledger, period, plan

__all__ = ["ledger", "period", "plan"]
