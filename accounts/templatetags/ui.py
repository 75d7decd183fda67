"""The component tags and filters of docs/design-system.md: every page is made of these."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince
from lucide import _render_icon as draw_lucide

from accounts import charts
from mlmcrm.money import format_money

register = template.Library()

MINUS = "\u2212"
NOTHING = mark_safe('<span class="nothing"><span aria-hidden="true">\u2013</span></span>')

TONE_OF_STATUS = {
    "good": "active verified paid completed approved finalized done settled delivered "
    "confirmed granted",
    "busy": "processing calculating calculated started exported sent submitted shipped "
    "open running",
    "wait": "claimed pending requested expired partially_refunded refunded due missing unpaid "
    "on_hold queued previewed invited",
    "bad": "withdrawn rejected failed suspended returned cancelled reversed terminated blocked "
    "skipped stopped",
    "calm": "inactive closed retired superseded draft archived none",
}
TONES = {status: tone for tone, names in TONE_OF_STATUS.items() for status in names.split()}
TONE_ICONS = {
    "good": "check",
    "busy": "refresh-cw",
    "wait": "clock",
    "bad": "x",
    "calm": "minus",
    "accent": "sparkles",
}
STATUS_ICONS = {
    "open": "circle-dot",
    "closed": "lock",
    "exported": "file-output",
    "sent": "send",
    "submitted": "send",
}
ALERT_ICONS = {
    "good": "circle-check",
    "busy": "info",
    "wait": "triangle-alert",
    "bad": "octagon-alert",
    "calm": "info",
}


# Values


def _number(value: Any, text: str, kind: str) -> SafeString:
    sign = " is-negative" if value < 0 else ""
    return format_html(
        '<data class="{}{}" value="{}">{}</data>', kind, sign, value, text.replace("-", MINUS)
    )


@register.filter
def money(amount: Decimal | None, currency: str = "") -> SafeString:
    """1234.5 as <data>£1,234.50</data>, in the company's currency unless another is named."""
    if amount is None or amount == "":
        return NOTHING
    amount = Decimal(amount)
    return _number(amount, format_money(amount, currency or settings.COMPANY_CURRENCY), "money")


@register.filter
def signed_money(amount: Decimal | None, currency: str = "") -> SafeString:
    """Like money, with a plus sign in front of what is added."""
    if amount is None or amount == "":
        return NOTHING
    amount = Decimal(amount)
    text = format_money(amount, currency or settings.COMPANY_CURRENCY)
    return _number(amount, f"+{text}" if amount > 0 else text, "money")


@register.filter
def points(volume: Decimal | None) -> SafeString:
    """Volume (PV, CV, GV) with two places and thousands apart: 12,480.00."""
    return NOTHING if volume is None else _number(volume, f"{Decimal(volume):,.2f}", "points")


@register.filter
def count(number: int | None) -> SafeString:
    """A whole number with thousands apart."""
    return NOTHING if number is None else _number(number, f"{int(number):,}", "count")


@register.filter
def rate(value: Decimal | None) -> SafeString:
    """0.025 as 2.5%."""
    if value is None:
        return NOTHING
    percent = (Decimal(value) * 100).normalize()
    return _number(Decimal(value), f"{percent:,f}%", "rate")


@register.filter
def when(moment: datetime | None) -> SafeString:
    """A moment in the reader's zone, with the zone: 21 Nov 2026, 14:05 GMT."""
    if not moment:
        return NOTHING
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    text = format_date(local, "j M Y, H:i T").strip()
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), text)


@register.filter
def day(value: date | datetime | None) -> SafeString:
    """A day: 21 Nov 2026."""
    if not value:
        return NOTHING
    if isinstance(value, datetime):
        value = timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return format_html(
        '<time datetime="{}">{}</time>', value.isoformat(), format_date(value, "j M Y")
    )


@register.filter
def ago(moment: datetime | None) -> SafeString:
    """How long ago, with the exact moment as a title: 3 minutes ago."""
    if not moment:
        return NOTHING
    local = timezone.localtime(moment)
    seconds = (timezone.now() - moment).total_seconds()
    text = "just now" if seconds < 60 else f"{timesince(moment, depth=1)} ago"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        format_date(local, "j M Y, H:i T"),
        text,
    )


@register.filter
def tone(status: str) -> str:
    """The tone a status is shown in: good, busy, wait, bad or calm."""
    return TONES.get(str(status).lower(), "calm")


# Small things


@lru_cache(maxsize=512)
def _drawn_icon(name: str, size: str, label: str) -> SafeString:
    known = {"class": f"icon icon-{size}" if size else "icon", "focusable": "false"}
    named = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    drawn: str = draw_lucide(name, None, **known, **named)
    # The XML writer has escaped the label.
    return mark_safe(drawn)  # noqa: S308


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """A Lucide icon, sized by class: "" (1.15em), "sm", "lg", "xl". Decoration unless labelled."""
    return _drawn_icon(name, size, str(label))


@register.inclusion_tag("components/badge.html")
def badge(status: Any, label: str = "", tone: str = "", icon: str = "") -> dict[str, Any]:
    """A status with icon and text; the tone follows the status unless one is given."""
    tone = tone or TONES.get(str(status).lower(), "calm")
    words = str(status).replace("_", " ")
    return {
        "tone": tone,
        "icon": icon or STATUS_ICONS.get(str(status).lower()) or TONE_ICONS.get(tone, "minus"),
        "label": label or words[:1].upper() + words[1:],
    }


@register.inclusion_tag("components/stat.html")
def stat(label: str, value: Any, **options: Any) -> dict[str, Any]:
    """A figure with its name. Options: note, url, icon, tone, id."""
    return {"label": label, "value": NOTHING if value in (None, "") else value, **options}


@register.inclusion_tag("components/progress.html")
def progress(value: Any, maximum: Any, label: str, **options: Any) -> dict[str, Any]:
    """A native progress bar with its figures in words. Options: text, id."""
    value, maximum = Decimal(value or 0), Decimal(maximum or 0)
    share = min(Decimal(100), value * 100 / maximum) if maximum > 0 else Decimal(100)
    return {
        "value": max(Decimal(0), min(value, maximum)),
        "maximum": maximum if maximum > 0 else 1,
        "share": int(share),
        "is_met": maximum <= 0 or value >= maximum,
        "label": label,
        **options,
    }


@register.simple_tag
def avatar(name: str, size: str = "") -> SafeString:
    """A round mark with the initials of a person. Decoration: the name stands beside it."""
    parts = [part for part in str(name).replace(".", " ").split() if part[0].isalnum()]
    initials = "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts))
    hue = sum(map(ord, str(name))) % 6
    return format_html(
        '<span class="avatar avatar-{}{}" aria-hidden="true">{}</span>',
        hue,
        f" avatar-{size}" if size else "",
        initials.upper() or "?",
    )


@register.inclusion_tag("components/skeleton.html")
def skeleton(lines: int = 3) -> dict[str, Any]:
    """Grey lines that stand where a fragment is being loaded."""
    return {"lines": range(lines)}


# Navigation


def _resolved(target: Any) -> str:
    try:
        return reverse(str(target)) if ":" in str(target) else str(target)
    except NoReverseMatch:
        return ""


@register.inclusion_tag("components/crumbs.html")
def crumbs(*parts: Any) -> dict[str, Any]:
    """{% crumbs "Earnings" "commissions:earnings" "October 2026" %}: pairs, the last one bare."""
    trail = [(parts[i], _resolved(parts[i + 1])) for i in range(0, len(parts) - 1, 2)]
    return {"trail": trail, "here": parts[-1] if len(parts) % 2 else ""}


@register.inclusion_tag("components/tabs.html", takes_context=True)
def tabs(context: Mapping[str, Any], *parts: Any, label: str = "Views") -> dict[str, Any]:
    """{% tabs "List" "genealogy:list" "Tree" "genealogy:tree" %}: links, the current one marked."""
    request = context.get("request")
    here = (request.path, request.get_full_path()) if request else ("", "")
    pairs = [(parts[i], _resolved(parts[i + 1])) for i in range(0, len(parts), 2)]
    exact = any(url == here[1] for _, url in pairs)
    links = [
        {"text": text, "url": url, "is_current": url == here[1] if exact else url == here[0]}
        for text, url in pairs
        if url
    ]
    return {"links": links, "label": label}


@register.inclusion_tag("components/pager.html")
def pager(newer: str = "", older: str = "", shown: str = "", **options: Any) -> dict[str, Any]:
    """Keyset pager. newer and older are urls or empty. Options: label, target (hx-target)."""
    return {"newer": newer, "older": older, "shown": shown, **options}


# Blocks


def _trimmed(content: str) -> SafeString:
    """The rendered body of a block tag; strip() alone would lose its safety."""
    return mark_safe(content.strip())  # noqa: S308


@register.simple_block_tag
def pageheader(
    content: str, title: str, lead: str = "", eyebrow: str = "", status: str = ""
) -> str:
    """The head of a page: h1, a leading sentence, and the actions as content."""
    facts = {"title": title, "lead": lead, "eyebrow": eyebrow, "status": status}
    return render_to_string("components/page_header.html", {**facts, "actions": _trimmed(content)})


@register.simple_block_tag
def card(content: str, title: str = "", **options: Any) -> str:
    """A framed section. Options: lead, actions (safe html), id, level (2), flush (no padding)."""
    return render_to_string(
        "components/card.html",
        {"title": title, "level": 2, **options, "content": content},
    )


@register.simple_block_tag
def table(content: str, caption: str, **options: Any) -> str:
    """A table in its scroll frame. Options: hide_caption, stack, sticky, id, role, label."""
    return render_to_string(
        "components/table.html", {"caption": caption, **options, "content": content}
    )


@register.simple_block_tag
def dialog(content: str, id: str, title: str, **options: Any) -> str:
    """A native dialog, opened by data-dialog="<id>". Options: lead, size ("wide")."""
    return render_to_string(
        "components/dialog.html", {"id": id, "title": title, **options, "content": content}
    )


@register.simple_block_tag
def alert(content: str, tone: str = "busy", title: str = "", **options: Any) -> str:
    """A banner: tone good, busy, wait, bad or calm. Options: id, live (read out when swapped)."""
    facts = {"tone": tone, "title": title, "icon": ALERT_ICONS.get(tone, "info")}
    return render_to_string("components/alert.html", {**facts, **options, "content": content})


@register.simple_block_tag
def emptystate(content: str, title: str, text: str = "", icon: str = "inbox") -> str:
    """What stands where there is nothing yet: icon, sentence, and the next action as content."""
    return render_to_string(
        "components/empty.html",
        {"title": title, "text": text, "icon": icon, "actions": _trimmed(content)},
    )


@register.simple_block_tag
def step(content: str, state: str, title: str, aside: str = "", **options: Any) -> str:
    """One item of <ol class="steps">. States: done, now, next, paid, skipped, refused, info."""
    icons = {
        "done": "check",
        "paid": "check",
        "now": "circle-dot",
        "next": "circle",
        "skipped": "arrow-up",
        "refused": "x",
        "info": "info",
    }
    facts = {"state": state, "title": title, "aside": aside, "icon": icons.get(state, "circle")}
    return render_to_string(
        "components/step.html", {**facts, **options, "content": _trimmed(content)}
    )


# Charts


@register.inclusion_tag("components/chart.html")
def chart(series: Any, title: str, **options: Any) -> dict[str, Any]:
    """A bar or line chart with its table. Options: kind, unit, currency, id, label, height."""
    shape = charts.draw(
        series,
        kind=options.get("kind", "bar"),
        unit=options.get("unit", "count"),
        currency=options.get("currency") or settings.COMPANY_CURRENCY,
    )
    return {"chart": shape, "title": title, **options}


@register.filter
def as_plotted(value: Decimal, chart: charts.Chart) -> SafeString:
    """A value of a chart as the table beside it shows it."""
    if chart.unit == "money":
        return money(value, chart.currency)
    return points(value) if chart.unit == "points" else count(int(value))


@register.simple_tag
def sparkline(values: list[Any], label: str) -> SafeString:
    """A line the height of a word, for the direction of a figure; its label says it in words."""
    path = charts.spark([Decimal(value) for value in values])
    return format_html(
        '<svg class="sparkline" viewBox="0 0 100 32" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><path d="{}"/></svg>',
        label,
        path,
    )


@register.simple_tag
def facts(*pairs: Any) -> SafeString:
    """A definition list: {% facts "Period" period.name "Rate" rate %}."""
    rows = [
        (pairs[i], NOTHING if pairs[i + 1] in (None, "") else pairs[i + 1])
        for i in range(0, len(pairs), 2)
    ]
    return format_html(
        '<dl class="facts">{}</dl>',
        format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", rows),
    )
