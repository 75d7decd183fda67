"""The stored document of a plan version as the engine reads it."""

from functools import lru_cache

from commissions.engine import Plan, load_plan
from commissions.models import PlanVersion


@lru_cache(maxsize=32)
def _load(version_id: int, definition_hash: str) -> Plan:
    return load_plan(PlanVersion.objects.get(pk=version_id).definition)


def loaded(version: PlanVersion) -> Plan:
    """The version's definition as the engine reads it; read once per process."""
    return _load(version.pk, version.definition_hash)
