"""Columns that the lists of payouts, batches and bookings share."""

from typing import Any

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.templatetags.ui import badge


def link(url: str, text: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text)


def status_badge(row: Any) -> SafeString:
    return render_to_string(
        "components/badge.html", badge(row.status, label=row.get_status_display())
    )
