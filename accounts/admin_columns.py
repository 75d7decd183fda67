"""How the lists of the admin show what the rest of the product shows: money, points, states."""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from accounts.templatetags import ui
from mlmcrm.money import HundredthsField, MoneyField, RateField

STATES = {"status", "payment_status", "kyc_status"}
VOLUMES = ("pv", "cv", "gv")
Column = str | Callable[[Any], Any]


def columns(model: type[models.Model], names: Sequence[Column]) -> list[Column]:
    """The list's columns with states as badges and amounts as money; the currency goes along."""
    shown = [_column(model, name) for name in names]
    has_money = any(getattr(column, "is_money", False) for column in shown)
    return [column for column in shown if not (has_money and column == "currency")]


def _column(model: type[models.Model], name: Column) -> Column:
    if not isinstance(name, str):
        return name
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return name
    if name in STATES and field.choices:
        return _named(field, lambda row: _state(row, field))
    if isinstance(field, RateField):
        return _named(field, lambda row: ui.rate(getattr(row, name)))
    if not isinstance(field, (MoneyField, HundredthsField)):
        return name
    if name.endswith(VOLUMES):
        return _named(field, lambda row: ui.points(getattr(row, name)))
    column = _named(field, lambda row: ui.money(getattr(row, name), _currency(row)))
    column.is_money = True  # type: ignore[attr-defined]
    return column


def _named(field: Any, show: Callable[[Any], SafeString]) -> Callable[[Any], Any]:
    """A column that is called and sorted like its field."""

    def column(row: Any) -> SafeString:
        return show(row)

    column.__name__ = field.name
    column.short_description = capfirst(field.verbose_name)  # type: ignore[attr-defined]
    column.admin_order_field = field.name  # type: ignore[attr-defined]
    return column


def _state(row: Any, field: Any) -> SafeString:
    value = getattr(row, field.name)
    label = str(dict(field.flatchoices).get(value, value))
    return render_to_string("components/badge.html", ui.badge(value, label=label))


def _currency(row: Any) -> str:
    return str(getattr(row, "currency", ""))
