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
from genealogy.columns import Column, asks_contact, chosen, remember
from genealogy.explorer import State, hit_lines, lines_of
from genealogy.explorer_forms import ExplorerForm
from genealogy.models import GenealogyNode
from genealogy.permissions import Scope
from genealogy.views.pages import asked_root, beginning, is_fragment, page, whole

TARGETS = {"list": "genealogy:list", "drawn": "genealogy:drawn"}


@require_safe
def tree_list(request: HttpRequest) -> HttpResponse:
    """The downline as a list that opens line by line, or flat where a filter narrows it.

    The address says it all: `root`, `open` (many), `at` (somebody looked for), `columns` (many),
    the filters, and `after` where a list goes on.
    """
    scope = Scope(request.user)
    root = asked_root(request, scope)
    form = ExplorerForm(request.GET)
    state = State.of(request.GET, form.as_query)
    columns = chosen(request)
    facts = {
        "form": form,
        "state": state,
        "columns": columns,
        "shown_keys": [column.key for column in columns],
        "says_consent": asks_contact(columns) and not scope.sees_all,
        "clear_url": State(root=state.root, columns=state.columns).url(),
        "view": "list",
    }
    if root is None and (form.is_valid() and not form.filters):
        return beginning(request, scope, TARGETS["list"], **facts)
    if form.is_valid() and form.filters:
        facts |= _flat(request, scope, root, form, state)
    elif form.is_valid() and root is not None:
        opened = _opened(request, scope, root, state)
        if isinstance(opened, HttpResponse):
            return opened
        facts |= opened
    facts |= page(scope, root) if root else {"scope": scope, "root": None}
    return remember(request, render(request, "genealogy/tree_list.html", facts))


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
    request: HttpRequest, scope: Scope, root: GenealogyNode, state: State
) -> dict[str, Any] | HttpResponse:
    """The list opened as the address says; who is far down has it begin nearer to him."""
    columns = chosen(request)
    if after := request.GET.get("after", ""):
        rows = queries.continued(root, after, whole(request, "shown", 0))
        _reveal(scope, rows, columns)
        return {"lines": lines_of(rows, state, columns)}
    wanted = scope.node(state.at) if state.at else None
    if wanted and not root.lft <= wanted.lft <= root.rgt:
        return redirect(f"{reverse('genealogy:list')}?{urlencode({'at': state.at})}")
    if wanted and (nearer := queries.beginning_above(wanted, root)):
        return redirect(state.url(root=nearer, open=()))
    asked = scope.nodes(state.opens)
    if len(asked) < len(state.opens):
        raise Http404("No such distributor.")
    opens = [node for node in asked if queries.is_near(node, root)]
    rows = queries.opened(root, opens, wanted)
    _reveal(scope, rows, columns)
    return {"lines": lines_of(rows, state, columns, opens), "wanted": wanted}


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
def children(request: HttpRequest, number: str) -> HttpResponse:
    """The next rows below a distributor, as a fragment for the list."""
    scope = Scope(request.user)
    parent = scope.node(number)
    rows = queries.children_page(
        parent.distributor,
        level=whole(request, "level", 1) + 1,
        after=request.GET.get("after", ""),
        shown=whole(request, "shown", 0),
        skip=[number for number in request.GET.get("skip", "").split(",") if number],
    )
    columns = chosen(request)
    _reveal(scope, rows, columns)
    lines = lines_of(rows, State.of(request.GET, {}), columns)
    facts = {"lines": lines, "columns": columns, "root_number": request.GET.get("root", "")}
    return render(request, "genealogy/_rows.html", facts)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Find somebody in one's own line; a single hit opens at once, in the view one came from."""
    scope = Scope(request.user)
    if scope.is_stranger:
        raise PermissionDenied
    words = request.GET.get("q", "").strip()
    view = request.GET.get("view", "")
    view = view if view in TARGETS else "list"
    found = queries.search(scope.top, words) if len(words) >= 2 else []
    if len(found) == 1 and not is_fragment(request):
        return redirect(_found_url(found[0], view))
    results = [(node, _found_url(node, view), scope.level_of(node)) for node in found]
    facts = {
        "words": words,
        "results": results,
        "scope": scope,
        "view": view,
        "is_cut": len(found) == queries.MOST_RESULTS,
    }
    return render(request, "genealogy/search.html", facts)


def _found_url(node: GenealogyNode, view: str) -> str:
    """The list opened down to somebody, or the tree drawn around him."""
    name = "at" if view == "list" else "root"
    return f"{reverse(TARGETS[view])}?{urlencode({name: node.distributor.number})}"
