from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts import audit
from genealogy import queries
from genealogy.columns import COLUMNS, Column, asks_contact, chosen, dated, remember
from genealogy.explorer import State, hit_lines, lines_of
from genealogy.forms.explorer import ExplorerForm
from genealogy.models import GenealogyNode
from genealogy.permissions import PastScope, Scope
from genealogy.queries import past_lines
from genealogy.queries.explorer import Rows
from genealogy.views.days import Asked, on_a_day
from genealogy.views.pages import asked_root, beginning, is_fragment, page, whole

TARGETS = {"list": "genealogy:list", "drawn": "genealogy:drawn"}


@require_safe
@on_a_day
def tree_list(request: HttpRequest, asked: Asked) -> HttpResponse:
    """The downline as a list that opens line by line, or flat where a filter narrows it.

    The address says it all: `root`, `open` (many), `at` (somebody looked for), `columns` (many),
    the filters, `on` and `known` for another day, and `after` where a list goes on. Filters are
    about today alone.
    """
    scope = asked.scope
    root = asked_root(request, scope)
    form = ExplorerForm(request.GET)
    state = State.of(request.GET, {} if asked.past else form.as_query, scope.day)
    columns = _columns(request, asked)
    facts: dict[str, Any] = {
        "form": form,
        "state": state,
        "columns": columns,
        "shown_keys": [column.key for column in columns],
        "says_consent": asks_contact(columns) and not scope.sees_all,
        "column_choices": [
            (column.key, column.label)
            for column in COLUMNS.values()
            if not asked.past or column.is_dated
        ],
        "clear_url": State(root=state.root, columns=state.columns, day=state.day).url(),
        "view": "list",
    }
    is_filtered = form.is_valid() and bool(form.filters) and not asked.past
    if root is None and form.is_valid() and not is_filtered and scope.sees_all:
        return beginning(request, asked, TARGETS["list"], **facts)
    if is_filtered:
        facts |= _flat(request, scope, root, form, state)
    elif form.is_valid() and root is not None:
        opened = _opened(request, asked, root, state, columns)
        if isinstance(opened, HttpResponse):
            return opened
        facts |= opened
    facts |= page(asked, root) if root else {**asked.facts, "root": None}
    return remember(request, render(request, "genealogy/tree_list.html", facts))


def _columns(request: HttpRequest, asked: Asked) -> list[Column]:
    columns = chosen(request)
    if asked.past:
        return dated(columns, with_ranks=asked.past.tree().knows_ranks)
    return columns


def _flat(
    request: HttpRequest,
    scope: Scope,
    root: GenealogyNode | None,
    form: ExplorerForm,
    state: State,
) -> dict[str, Any]:
    """What the filters find, fifty at a time."""
    found = queries.filtered_page(root, form.filters, request.GET.get("after", ""))
    columns = chosen(request)
    _reveal(scope, found.hits, columns)
    return {
        "is_flat": True,
        "lines": hit_lines(found.hits, state, columns),
        "found": found,
        "next_url": state.url(after=found.after) if found.after else "",
        "first_url": state.url() if request.GET.get("after") else "",
    }


def _opened(
    request: HttpRequest,
    asked: Asked,
    root: GenealogyNode,
    state: State,
    columns: list[Column],
) -> dict[str, Any] | HttpResponse:
    """The list opened as the address says; who is far down has it begin nearer to him."""
    scope, past = asked.scope, asked.past
    if after := request.GET.get("after", ""):
        go_on = past.tree().continued if past else queries.continued
        rows = go_on(root, after, whole(request, "shown", 0))
        _reveal(scope, rows, columns)
        return {"lines": lines_of(_as_seen(scope, rows), state, columns)}
    wanted = scope.node(state.at) if state.at else None
    if wanted and not _is_within(scope, wanted, root):
        return redirect(State(at=state.at, day=state.day).url())
    if wanted and (nearer := _beginning_above(scope, wanted, root)):
        return redirect(state.url(root=nearer, open=()))
    found = scope.nodes(state.opens)
    _refuse_unknown(scope, set(state.opens) - {node.distributor.number for node in found})
    opens = [node for node in found if _is_near(scope, node, root)]
    rows = (past.tree().opened if past else queries.opened)(root, opens, wanted)
    _reveal(scope, rows, columns)
    return {"lines": lines_of(_as_seen(scope, rows), state, columns), "wanted": wanted}


def _refuse_unknown(scope: Scope, missing: set[str]) -> None:
    """Whoever stands in the line today may be missing on another day. Raises 404 for others."""
    if isinstance(scope, PastScope) and missing:
        missing -= {node.distributor.number for node in scope.today.nodes(missing)}
    if missing:
        raise Http404("No such distributor.")


def _is_within(scope: Scope, node: GenealogyNode, root: GenealogyNode) -> bool:
    if isinstance(scope, PastScope):
        above = scope.tree().upline(node.distributor_id)
        return root.distributor_id in (node.distributor_id, *above)
    return root.lft <= node.lft <= root.rgt


def _is_near(scope: Scope, node: GenealogyNode, root: GenealogyNode) -> bool:
    if isinstance(scope, PastScope):
        return scope.tree().is_near(node, root)
    return queries.is_near(node, root)


def _beginning_above(scope: Scope, node: GenealogyNode, root: GenealogyNode) -> str:
    if isinstance(scope, PastScope):
        return scope.tree().beginning_above(node, root)
    return queries.beginning_above(node, root)


def _as_seen(scope: Scope, rows: Rows) -> Rows:
    """The rows of another day with those reduced of whom the reader may not see more."""
    if isinstance(scope, PastScope):
        people = [row for row in rows if isinstance(row, queries.Row)]
        reduced = scope.reduced(row.node.distributor_id for row in people)
        for row in people:
            row.is_reduced = row.node.distributor_id in reduced
    return rows


def _reveal(
    scope: Scope, rows: Sequence[queries.Row | queries.More | queries.Hit], columns: list[Column]
) -> None:
    """Where e-mail or phone are among the columns, fill them in as far as the reader may see them.

    Staff see everybody's; that they did goes into the audit trail with the numbers of the people.
    """
    people = [row.distributor for row in rows if not isinstance(row, queries.More)]
    if not people or not asks_contact(columns):
        return
    queries.add_contacts(scope, rows)
    if scope.sees_all:
        numbers = {"people": [person.number for person in people]}
        audit.record(
            actor=scope.user, action="distributor.contacts_listed", target=people[0], after=numbers
        )


@require_safe
@on_a_day
def children(request: HttpRequest, asked: Asked, number: str) -> HttpResponse:
    """The next rows below a distributor, as a fragment for the list."""
    scope = asked.scope
    parent = scope.node(number)
    rows = (asked.past.tree().children_page if asked.past else queries.children_page)(
        parent.distributor,
        level=whole(request, "level", 1) + 1,
        after=request.GET.get("after", ""),
        shown=whole(request, "shown", 0),
        skip=[number for number in request.GET.get("skip", "").split(",") if number],
    )
    columns = _columns(request, asked)
    _reveal(scope, rows, columns)
    lines = lines_of(_as_seen(scope, rows), State.of(request.GET, {}, scope.day), columns)
    facts = {
        "lines": lines,
        "columns": columns,
        "root_number": request.GET.get("root", ""),
        "scope": scope,
    }
    return render(request, "genealogy/_rows.html", facts)


@require_safe
@on_a_day
def search(request: HttpRequest, asked: Asked) -> HttpResponse:
    """Find somebody in one's own line; a single hit opens at once, in the view one came from."""
    scope, past = asked.scope, asked.past
    if scope.is_stranger:
        raise PermissionDenied
    words = request.GET.get("q", "").strip()
    view = request.GET.get("view", "")
    view = view if view in TARGETS else "list"
    found: list[GenealogyNode] = []
    are_enough = queries.are_enough(words)
    if are_enough and past and (scope.top or scope.sees_all):
        found = past_lines.search(past.tree(), scope.top, words)
    elif are_enough and not past:
        found = queries.search(scope.top, words)
    if len(found) == 1 and not is_fragment(request):
        return redirect(_found_url(scope, found[0], view))
    reduced = past.reduced(node.distributor_id for node in found) if past else set()
    facts = {
        **asked.facts,
        "words": words,
        "are_enough": are_enough,
        "results": [
            (
                node,
                _found_url(scope, node, view),
                scope.level_of(node),
                node.distributor_id in reduced,
            )
            for node in found
        ],
        "view": view,
        "is_cut": len(found) == queries.MOST_RESULTS,
    }
    return render(request, "genealogy/search.html", facts)


def _found_url(scope: Scope, node: GenealogyNode, view: str) -> str:
    """The list opened down to somebody, or the tree drawn around him."""
    name = "at" if view == "list" else "root"
    query = urlencode({name: node.distributor.number}) + (scope.day.suffix if scope.day else "")
    return f"{reverse(TARGETS[view])}?{query}"
