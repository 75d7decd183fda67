from accounts.views.notices import bell, events, notifications, open_notification, read_all
from accounts.views.privacy import consent_give, consent_text, consent_withdraw, privacy

__all__ = [
    "bell",
    "consent_give",
    "consent_text",
    "consent_withdraw",
    "events",
    "notifications",
    "open_notification",
    "privacy",
    "read_all",
]
