"""Reading the environment: a variable as text, or as what it stands for, or a clear refusal."""

import base64
import os
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ImproperlyConfigured


def env(name: str, default: str | None = None) -> str:
    """The variable, else its default. Without a default it has to be set."""
    value = os.environ.get(name, "").strip() or default
    if value is None:
        raise ImproperlyConfigured(
            f"The environment variable {name} is not set. "
            "MLMCRM_ENV=development makes up secrets and starts servers; production wants them."
        )
    return value


def env_as(parse: Callable[[str], Any], name: str, default: str | None = None) -> Any:
    text = env(name, default)
    try:
        return parse(text)
    except (KeyError, ValueError) as error:
        raise ImproperlyConfigured(f"The environment variable {name} cannot be read.") from error


def boolean(text: str) -> bool:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
        text.lower()
    ]


def words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def amount(text: str) -> Decimal:
    if not re.fullmatch(r"\d+(\.\d{1,2})?", text):
        raise ValueError("An amount is written like 10.00.")
    return Decimal(text)


def key(text: str) -> bytes:
    raw = base64.b64decode(text, validate=True)
    if len(raw) != 32:
        raise ValueError("A key has 32 bytes.")
    return raw


def key_ring(text: str) -> dict[str, bytes]:
    """`newest:base64,older:base64`; the first one seals, all of them unseal."""
    ring = {name: key(raw) for name, raw in (item.split(":", 1) for item in words(text))}
    if not ring:
        raise ValueError("A key ring has at least one key.")
    return ring
