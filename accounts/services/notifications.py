"""What a person has read."""

from django.utils import timezone

from accounts.models import Notification, User


def mark_read(*, user: User, seq: int | None = None) -> int:
    """Mark one of the user's notifications as read, by its number in his stream, or all of them.

    Repeating it changes nothing: the first time of reading stays.
    """
    unread = Notification.objects.visible_to(user).unread()
    if seq is not None:
        unread = unread.filter(event__seq=seq)
    return unread.update(read_at=timezone.now())
