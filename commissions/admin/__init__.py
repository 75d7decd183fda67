"""The admin screens of the app, a module for each topic."""

from commissions.admin import ledger, plan

__all__ = ["ledger", "plan"]
