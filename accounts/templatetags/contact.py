"""How somebody may be reached, as links."""

import re
from urllib.parse import quote

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.templatetags.ui import NOTHING

register = template.Library()


@register.filter
def email_link(address: str) -> SafeString:
    """An address to write to."""
    if not address:
        return NOTHING
    return format_html('<a href="mailto:{}">{}</a>', quote(address, safe="@+"), address)


@register.filter
def phone_link(number: str) -> SafeString:
    """A number to call, shown as it was written."""
    if not number:
        return NOTHING
    return format_html('<a href="tel:{}">{}</a>', re.sub(r"[^0-9+*#]", "", number), number)
