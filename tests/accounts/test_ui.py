"""The component tags, the charts, and what every template and script must leave out."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.template import Context, Template
from django.test import RequestFactory

from accounts import charts
from accounts.charts import Series

ROOT = Path(settings.BASE_DIR)


def render(source: str, **context: object) -> str:
    return " ".join(Template("{% load ui %}" + source).render(Context(context)).split())


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        (
            '{{ v|money:"GBP" }}',
            Decimal("1234.5"),
            '<data class="money" value="1234.5">£1,234.50</data>',
        ),
        (
            '{{ v|money:"GBP" }}',
            Decimal("-12"),
            '<data class="money is-negative" value="-12">−£12.00</data>',
        ),
        (
            '{{ v|signed_money:"EUR" }}',
            Decimal("3"),
            '<data class="money" value="3">+€3.00</data>',
        ),
        (
            "{{ v|points }}",
            Decimal("12480"),
            '<data class="points" value="12480">12,480.00</data>',
        ),
        (
            "{{ v|rate }}",
            Decimal("0.025000"),
            '<data class="rate" value="0.025000">2.5%</data>',
        ),
        ("{{ v|rate }}", Decimal("1"), '<data class="rate" value="1">100%</data>'),
        (
            "{{ v|when }}",
            datetime(2026, 7, 1, 12, 5, tzinfo=UTC),
            '<time datetime="2026-07-01T13:05:00+01:00">1 Jul 2026, 13:05 BST</time>',
        ),
        ("{{ v|day }}", date(2026, 11, 21), '<time datetime="2026-11-21">21 Nov 2026</time>'),
    ],
)
def test_values_are_written_for_people_and_machines(source, value, expected):
    assert render(source, v=value) == expected


@pytest.mark.parametrize("filter_name", ["money", "points", "count", "rate", "when", "day", "ago"])
def test_nothing_is_an_en_dash(filter_name):
    assert render("{{ v|" + filter_name + " }}", v=None) == (
        '<span class="nothing"><span aria-hidden="true">–</span></span>'
    )


def test_a_badge_says_its_status_in_words_and_by_an_icon():
    shown = render('{% badge "on_hold" %}')

    assert 'class="badge badge-wait"' in shown
    assert "<svg" in shown
    assert "On hold" in shown


def test_what_a_person_typed_is_escaped_everywhere():
    typed = "<script>x</script>"

    shown = render(
        "{% badge typed %}{% stat typed typed note=typed %}{% avatar typed %}"
        "{% facts typed typed %}"
        "{% alert title=typed %}{{ typed }}{% endalert %}"
        "{% pageheader title=typed lead=typed %}{{ typed }}{% endpageheader %}"
        '{% icon "bell" label=typed %}{% step "paid" title=typed aside=typed %}{% endstep %}',
        typed=typed,
    )

    assert "<script>" not in shown


def test_actions_of_a_block_keep_their_markup():
    shown = render(
        '{% pageheader title="Payouts" %}<a class="button" href="/">Go</a>{% endpageheader %}'
    )

    assert '<a class="button" href="/">Go</a>' in shown


def test_tabs_mark_where_one_is():
    request = RequestFactory().get("/notifications/", {"show": "unread"})

    shown = render(
        '{% tabs "All" "/notifications/" "Unread" "/notifications/?show=unread" %}', request=request
    )

    assert re.findall(r'href="([^"]+)" aria-current="page"', shown) == [
        "/notifications/?show=unread"
    ]


class PayoutForm(forms.Form):
    amount = forms.DecimalField(min_value=10, help_text="From £10.00.")
    note = forms.CharField(required=False)


def test_an_error_is_tied_to_its_field_and_listed_on_top():
    shown = render("{{ form }}", form=PayoutForm({"amount": "2"}))

    assert '<a href="#id_amount">Amount</a>' in shown
    assert 'aria-describedby="id_amount_helptext id_amount_error"' in shown
    assert 'id="id_amount_error"' in shown
    assert "One thing to put right" in shown


def test_the_scale_of_a_chart_takes_in_every_value():
    chart = charts.draw([("Jan", Decimal("8700"))], kind="bar", unit="count", currency="GBP")

    assert chart.ticks == ["10K", "8K", "6K", "4K", "2K", "0"]
    assert [(bar.y, bar.height) for bar in chart.bars] == [(31.2, 208.8)]


def test_negative_bars_hang_from_the_zero_line():
    chart = charts.draw(
        [("Jan", Decimal(40)), ("Feb", Decimal(-10))], kind="bar", unit="money", currency="GBP"
    )

    assert chart.zero == 192.0
    assert [bar.y for bar in chart.bars] == [0.0, 192.0]


def test_parts_are_piled_up_and_what_is_taken_away_hangs_below():
    chart = charts.draw(
        [
            Series("A", [("Oct", Decimal(30))]),
            Series("B", [("Oct", Decimal(10))]),
            Series("C", [("Oct", Decimal(-20))]),
        ],
        kind="stack",
        unit="count",
        currency="GBP",
    )

    assert chart.zero == 160.0
    assert [(bar.y, bar.height) for bar in chart.bars] == [
        (40.0, 120.0),
        (0.0, 40.0),
        (160.0, 80.0),
    ]


def test_a_chart_has_its_table():
    shown = render(
        '{% chart series title="Earned" unit="money" currency="GBP" %}',
        series=[
            Series("At payment", [("Oct", Decimal("2.40"))]),
            Series("At close", [("Oct", Decimal("26"))]),
        ],
    )

    assert "£2.40" in shown
    assert "£26.00" in shown
    assert '<th scope="col" class="is-number">At close</th>' in shown


def test_a_chart_of_nothing_says_so():
    assert "No figures yet." in render('{% chart series title="Earned" %}', series=[])


def test_no_template_has_inline_style_or_script():
    forbidden = re.compile(
        r'\sstyle="|\son[a-z]+="|hx-on|<style|<script(?![^>]*\ssrc=)|javascript:'
    )

    guilty = [
        path.name
        for path in (ROOT / "templates").rglob("*.html")
        if forbidden.search(path.read_text())
    ]

    assert guilty == []


def test_no_script_evaluates_text():
    forbidden = re.compile(r"\beval\(|new Function|innerHTML|setAttribute\(.style")

    guilty = [path.name for path in ROOT.glob("static/*.js") if forbidden.search(path.read_text())]

    assert guilty == []


def test_every_icon_in_a_template_exists():
    from lucide import _load_icon

    named = {
        name
        for path in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r'{% icon "([a-z0-9-]+)"', path.read_text())
    }

    for name in named:
        _load_icon(name)


def test_tokens_used_in_the_styles_are_defined():
    sheets = "\n".join(path.read_text() for path in (ROOT / "static" / "css").glob("*.css"))
    defined = set(re.findall(r"(--[a-z0-9-]+):", sheets))

    assert set(re.findall(r"var\((--[a-z0-9-]+)", sheets)) - defined == set()
