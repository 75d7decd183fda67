"""`manage.py plan`: documents at the command line, without database or servers."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from commissions.management.commands.plan import Command, schema_text
from manage import WITHOUT_SERVERS
from tests.engine.documents import PLANS, at_least, bonus, document, ladder

ROOT = Path(__file__).parents[2]


def answer(*arguments: object) -> str:
    out = StringIO()
    call_command(Command(), *map(str, arguments), stdout=out)
    return out.getvalue()


def written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def test_check_shows_findings_and_the_worst_case():
    assert answer("check", PLANS / "demo.json").splitlines() == [
        "$.metrics[1]: warning: Nothing in the plan uses the metric Commissionable volume.",
        "$.metrics[3]: warning: Nothing in the plan uses the metric Legs with volume.",
        "At worst, of Commissionable volume of the company: 45 % (Partner commission 2 %, "
        "Unilevel 25 % and Rank bonus 18 %); 1.00 PV is held to be 1.00 CV.",
        "Demo plan: no faults, 2 findings.",
    ]


def test_check_fails_with_every_fault_by_its_path(tmp_path):
    broken = document(bonuses=[bonus(trigger="someday", colour="blue")])
    path = written(tmp_path, "broken.json", broken)

    with pytest.raises(CommandError) as refused:
        answer("check", path)

    assert refused.value.returncode == 1
    first, *faults = str(refused.value).splitlines()
    assert first == f"{path} has faults:"
    assert [fault.partition(": ")[0] for fault in faults] == [
        "$.bonuses[0].trigger", "$.bonuses[0].colour",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content", ["{", "\u00e9", '{"name": "A", "name": "B"}', '{"schema": NaN}']
)
def test_files_that_hold_no_json_are_named(tmp_path, content):
    path = tmp_path / "plan.json"
    path.write_text(content, encoding="latin-1")

    with pytest.raises(CommandError, match="can't be read"):
        answer("check", path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"nowhere\.json can't be read"):
        answer("explain", tmp_path / "nowhere.json")


def test_diff_speaks_in_sentences(tmp_path):
    ranks = {"bronze": at_least("pv", "100"), "silver": at_least("pv", "250")}
    old = written(tmp_path, "old.json", document(ladders=[ladder()]))
    new = written(tmp_path, "new.json", document(ladders=[ladder(ranks)]))

    assert answer("diff", old, new) == "Rank Silver asks for 250.00 PV instead of 200.00.\n"
    assert answer("diff", old, old) == "Nothing changes.\n"


def test_explain_is_markdown():
    text = answer("explain", PLANS / "unilevel.json")

    assert text.startswith("# Unilevel\n\n## In short\n")
    assert "| Gold | 5 % | 5 % | 4 % | 3 % | 2 % |" in text


def test_schema_file_in_the_documentation_is_up_to_date():
    assert answer("schema") == schema_text()
    assert (ROOT / "docs" / "plan-schema.json").read_text() == schema_text()


def test_the_command_starts_no_servers():
    assert "plan" in WITHOUT_SERVERS
