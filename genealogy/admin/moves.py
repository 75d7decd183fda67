"""Moving people and ending memberships: asking, looking at what it does, deciding."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from accounts.admin_base import ReadOnlyAdmin
from accounts.permissions import require
from genealogy import queries
from genealogy.forms.moves import DecisionForm, MoveForm, TerminationForm, UndoForm
from genealogy.models import Distributor, GenealogyNode, Move
from genealogy.services import effects, moves, terminations
from genealogy.services import move_previews as previews
from genealogy.services.effects import Changes, Effects, EffectsRefused
from genealogy.services.moves import MoveRefused, Place
from genealogy.services.terminations import TerminationRefused

ADD, APPROVE = "genealogy.add_move", "genealogy.approve_move"
TERMINATE = "genealogy.terminate_distributor"
TEMPLATES = "admin/genealogy"
MOST_NAMED = 50


class PeopleDesk(admin.ModelAdmin):  # type: ignore[type-arg]
    """The pages on which a distributor is moved, leaves, or is taken back."""

    change_form_template = f"{TEMPLATES}/distributor/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "genealogy_distributor"
        return [
            path("<str:number>/move/", wrap(self.move_view), name=f"{name}_move"),
            path("<str:number>/leave/", wrap(self.leave_view), name=f"{name}_leave"),
            *super().get_urls(),
        ]

    def move_view(self, request: HttpRequest, number: str) -> HttpResponse:
        """Choose the new place, look at what it means, then ask for it."""
        require(request.user, ADD)
        person = _person(number)
        form = MoveForm(request.POST or None)
        context = self._context(request, person, form, title=f"Move {person.display_name}")
        if request.method == "POST" and form.is_valid():
            asked = form.cleaned_data
            try:
                moves.refuse_unless_possible(
                    person, asked["tree"], form.place, asked["effective_on"]
                )
                changes = previews.change_to(person, asked["tree"], form.place)
                foreseen, context["not_foreseen"] = foresee(changes)
                if "confirmed" in request.POST:
                    move = moves.request_move(
                        distributor=person,
                        tree=asked["tree"],
                        to=form.place,
                        effective_on=asked["effective_on"],
                        reason=asked["reason"],
                        actor=request.user,  # type: ignore[arg-type]
                        foreseen=foreseen,
                    )
                    messages.success(request, said_of(move))
                    return redirect("admin:genealogy_move_desk", move.number)
                context["preview"] = preview_of(person, asked["tree"], form.place)
                context["effects"] = effects.shown(foreseen or {})
                context["is_large"] = foreseen is None
            except MoveRefused as refused:
                form.add_error(refused.field or None, str(refused))
        return TemplateResponse(request, f"{TEMPLATES}/distributor/move.html", context)

    def leave_view(self, request: HttpRequest, number: str) -> HttpResponse:
        """End a membership, or take somebody back who has left."""
        require(request.user, TERMINATE)
        person = _person(number)
        has_left = person.status == Distributor.Status.TERMINATED
        form = (DecisionForm if has_left else TerminationForm)(request.POST or None)
        title = f"Take {person.display_name} back" if has_left else f"End {person}'s membership"
        context = self._context(request, person, form, title=title) | {"has_left": has_left}
        if request.method == "POST" and form.is_valid():
            try:
                if has_left or "confirmed" in request.POST:
                    return self._end_or_go_on(request, person, form)
                context |= departure_of(person, form.cleaned_data["downline"])
            except TerminationRefused as refused:
                form.add_error(None, str(refused))
        return TemplateResponse(request, f"{TEMPLATES}/distributor/leave.html", context)

    def _end_or_go_on(self, request: HttpRequest, person: Distributor, form: Form) -> HttpResponse:
        has_left = person.status == Distributor.Status.TERMINATED
        service: Any = terminations.terminate_distributor
        if has_left:
            service = terminations.reinstate_distributor
        service(distributor=person, actor=request.user, **form.cleaned_data)
        said = "is back in the company." if has_left else "has left the company."
        messages.success(request, f"{person.display_name} {said}")
        return redirect("admin:genealogy_distributor_change", person.pk)

    def _context(
        self, request: HttpRequest, person: Distributor, form: Form, title: str
    ) -> dict[str, Any]:
        context = self.admin_site.each_context(request)
        return {**context, "title": title, "person": person, "form": form}


@admin.register(Move)
class MoveAdmin(ReadOnlyAdmin):
    """Moves: asked for on a distributor's page, decided on a desk of their own."""

    list_display = [
        "number", "distributor", "tree", "from_parent", "to_parent", "people", "effective_on",
        "status", "requested_by", "decided_by",
    ]  # fmt: skip
    list_filter = ["status", "tree"]
    list_select_related = ["distributor", "from_parent", "to_parent", "requested_by", "decided_by"]
    search_fields = ["=number", "=distributor__number", "=to_parent__number"]
    date_hierarchy = "requested_at"

    def get_urls(self) -> list[URLPattern]:
        desk = path(
            "<str:number>/desk/",
            self.admin_site.admin_view(self.desk_view),
            name="genealogy_move_desk",
        )
        return [desk, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        move = self.get_object(request, object_id)
        if move is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return redirect("admin:genealogy_move_desk", move.number)

    def desk_view(self, request: HttpRequest, number: str) -> HttpResponse:
        """A move with all that is known of it, and what its reader may do about it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        move = get_object_or_404(Move.objects.with_people(), number=number)
        verb = request.POST.get("verb", "")
        if request.method == "POST":
            require(request.user, APPROVE if verb in ("approve", "decline") else ADD)
        undo = UndoForm(request.POST if verb == "undo" else None)
        reason = DecisionForm(request.POST if verb and verb != "undo" else None)
        form: Form = undo if verb == "undo" else reason
        if request.method == "POST" and form.is_valid():
            try:
                move = self._carry_out(request, move, verb, form.cleaned_data)
                messages.success(request, said_of(move))
                return redirect("admin:genealogy_move_desk", move.number)
            except MoveRefused as refused:
                form.add_error(refused.field or None, str(refused))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{move} of {move.distributor.display_name}",
            "move": move,
            "reason": reason,
            "undo": undo,
            "may_decide": _may_decide(request, move),
            "may_cancel": move.is_open and request.user.has_perm(ADD),
            "may_undo": move.may_be_undone and request.user.has_perm(ADD),
            "effects": effects.shown(move.effects),
            "progress": [] if move.is_worked_out else effects.progress(move.number),
        }
        if move.is_open:
            context["preview"] = preview_of(
                move.distributor, move.tree, Place(move.to_parent, move.to_leg)
            )
        part = bool(getattr(request, "htmx", False))
        name = "_effects" if part else "desk"
        return TemplateResponse(request, f"{TEMPLATES}/move/{name}.html", context)

    def _carry_out(
        self, request: HttpRequest, move: Move, verb: str, asked: dict[str, Any]
    ) -> Move:
        actor: Any = request.user
        if verb in ("approve", "decline"):
            return moves.decide_move(move=move, approve=verb == "approve", actor=actor, **asked)
        if verb == "cancel":
            return moves.cancel_move(move=move, actor=actor, **asked)
        if verb == "undo":
            return moves.undo_move(move=move, actor=actor, **asked)
        raise MoveRefused("Choose what to do with this move.")


def preview_of(person: Distributor, tree: str, to: Place) -> dict[str, Any]:
    """Who moves along, and which people above are lost and gained, nearest first."""
    before = _upline(moves.place_of(person, tree).parent, tree)
    after = _upline(to.parent, tree)
    stays = set(before) & set(after)
    lost = [pk for pk in before if pk not in stays]
    gained = [pk for pk in after if pk not in stays]
    named = Distributor.objects.in_bulk([*lost[:MOST_NAMED], *gained[:MOST_NAMED]])
    node = GenealogyNode.objects.filter(distributor=person, tree=tree).first()
    return {
        "people": node.size if node else 1,
        "lost": [named[pk] for pk in lost[:MOST_NAMED]],
        "lost_more": max(len(lost) - MOST_NAMED, 0),
        "gained": [named[pk] for pk in gained[:MOST_NAMED]],
        "gained_more": max(len(gained) - MOST_NAMED, 0),
        "level_before": len(before),
        "level_after": len(after),
    }


def _upline(first: Distributor | None, tree: str) -> list[int]:
    """Somebody and everybody above, nearest first."""
    return [first.pk, *reversed(queries.upline_ids(first.pk, None, tree))] if first else []


def foresee(changes: Changes) -> tuple[dict[str, Effects] | None, str]:
    """What changes would do, None for a task to work out; or nothing, and why it cannot be said."""
    try:
        return previews.work_out_now(changes), ""
    except EffectsRefused as refused:
        return {}, str(refused)


def departure_of(person: Distributor, downline: str) -> dict[str, Any]:
    """What the page says before a membership ends: who is lifted, what it does, what is owed."""
    changes = (
        previews.changes_of_departure(person) if downline == terminations.Downline.ROLL_UP else ()
    )
    foreseen, why_not = foresee(changes)
    return {
        "is_previewed": True,
        "not_foreseen": why_not,
        "lifted": len(changes),
        "effects": effects.shown(foreseen or {}),
        "is_large": foreseen is None,
        "touched": effects.touched_by(person),
    }


def said_of(move: Move) -> str:
    """What a page says after something was done with a move."""
    name = move.distributor.display_name
    return {
        Move.Status.REQUESTED: f"{move} of {move.people:,} people waits to be approved.",
        Move.Status.SCHEDULED: f"{name} is moved on {move.effective_on:%d %B %Y}.",
        Move.Status.DONE: f"{name} is moved.",
        Move.Status.DECLINED: f"{move} is declined.",
        Move.Status.CANCELLED: f"{move} is cancelled.",
    }[Move.Status(move.status)]


def _person(number: str) -> Distributor:
    people = Distributor.objects.select_related("sponsor", "placement_parent", "rank")
    return get_object_or_404(people, number=number)


def _may_decide(request: HttpRequest, move: Move) -> bool:
    is_own = request.user.pk == move.requested_by_id
    if move.status != Move.Status.REQUESTED or (is_own and move.needs_approval):
        return False
    return request.user.has_perm(APPROVE)
