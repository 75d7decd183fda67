"""Money and volume: exact decimals outside the engine, whole hundredths in the hot tables.

A document (an order, a payout) keeps its amounts as numeric(18, 2). The tables that grow by
millions (ledger lines, postings, volume entries) keep the same amounts as bigint hundredths;
Python sees a Decimal with two places either way, so no caller ever converts.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from babel.numbers import format_currency, get_currency_precision
from django.conf import settings
from django.core import checks
from django.db import models

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def quantise(value: Decimal, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    """The value in whole hundredths: 2.345 gives 2.34 under the default half-even rule."""
    return value.quantize(CENT, rounding=rounding)


def allocate(total: Decimal, weights: Sequence[Decimal | int]) -> list[Decimal]:
    """Split a total by weights so that the parts add up to it, by largest remainder.

    Ties go to the earlier part: 10.00 over [1, 1, 1] gives [3.34, 3.33, 3.33].
    Raises ValueError when the weights do not add up to something positive.
    """
    whole = sum((Decimal(weight) for weight in weights), Decimal(0))
    if whole <= 0:
        raise ValueError("the weights must add up to more than zero")
    cents = int(quantise(total) * 100)
    sign = -1 if cents < 0 else 1
    shares = [Decimal(abs(cents)) * Decimal(weight) / whole for weight in weights]
    parts = [int(share) for share in shares]
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - shares[i], i))
    for i in by_remainder[: abs(cents) - sum(parts)]:
        parts[i] += 1
    return [Decimal(sign * part) / 100 + ZERO for part in parts]


def format_money(amount: Decimal, currency: str, locale: str = "en_GB") -> str:
    """1234.5 and GBP as £1,234.50, in the conventions of the locale."""
    return str(format_currency(amount, currency, locale=locale, currency_digits=True))


class MoneyField(models.DecimalField):  # type: ignore[type-arg]
    """An amount on a document: numeric(18, 2)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"], kwargs["decimal_places"] = 18, 2
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs


class ScaledField(models.BigIntegerField):  # type: ignore[type-arg]
    """A decimal with a fixed number of places, stored as a whole number of its smallest unit."""

    places: int
    # What the type checker takes the attribute of a row for.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Decimal  # type: ignore[assignment]

    @property
    def _unit(self) -> Decimal:
        return Decimal(1).scaleb(-self.places)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-self.places).quantize(self._unit)

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or value == "":
            return None
        if isinstance(value, float):
            raise TypeError("a float is never an amount")
        return Decimal(value).quantize(self._unit)

    def get_prep_value(self, value: Any) -> Any:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        if isinstance(value, float):
            raise TypeError("a float is never an amount")
        scaled = Decimal(value).scaleb(self.places)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than {self.places} decimal places")
        return int(scaled)

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj))

    def formfield(self, **kwargs: Any) -> Any:
        from django import forms  # a form class is only wanted where a form is drawn

        kwargs.pop("min_value", None)
        kwargs.pop("max_value", None)
        return models.Field.formfield(
            self, form_class=forms.DecimalField, decimal_places=self.places, **kwargs
        )

    @property
    def validators(self) -> list[Any]:
        return list(self._validators)  # type: ignore[attr-defined]


class HundredthsField(ScaledField):
    """Money or points in a hot table: bigint hundredths, a Decimal with two places in Python."""

    places = 2


class RateField(ScaledField):
    """A rate in millionths: 0.05 is stored as 50000."""

    places = 6


@checks.register()
def check_company_currency(**kwargs: Any) -> list[checks.CheckMessage]:
    if get_currency_precision(settings.COMPANY_CURRENCY) <= 2:
        return []
    return [
        checks.Error(
            f"COMPANY_CURRENCY {settings.COMPANY_CURRENCY} has more than two decimal places; "
            "amounts are kept in hundredths.",
            id="mlmcrm.E001",
        )
    ]
