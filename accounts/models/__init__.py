from accounts.models.audit import AuditEvent
from accounts.models.consent import CONTACT_PURPOSES, Consent, ConsentText
from accounts.models.event import Event, EventStream
from accounts.models.imports import ImportJob
from accounts.models.notification import Notification
from accounts.models.profile import Profile
from accounts.models.user import User

__all__ = [
    "CONTACT_PURPOSES",
    "AuditEvent",
    "Consent",
    "ConsentText",
    "Event",
    "EventStream",
    "ImportJob",
    "Notification",
    "Profile",
    "User",
]
