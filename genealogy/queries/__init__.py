"""Reads of the trees, each a fixed number of statements whatever the size of the line."""

from genealogy.queries.changes import Day
from genealogy.queries.contacts import add_contacts, contact_of, sponsor_contact
from genealogy.queries.drawing import DRAWN_CHILDREN, DrawnNode, drawn, legs_in_use, name_of_leg
from genealogy.queries.explorer import (
    PAGE,
    Crumb,
    More,
    Row,
    beginning_above,
    children_page,
    continued,
    crumbs,
    is_near,
    nodes_of,
    opened,
    sponsor_nodes,
    top_nodes,
    upline_ids,
)
from genealogy.queries.figures import Figures, Generation, Leg, Month, figures_of, generations
from genealogy.queries.search import (
    MOST_RESULTS,
    Filters,
    Hit,
    HitPage,
    filtered_page,
    search,
)

__all__ = [
    "DRAWN_CHILDREN",
    "MOST_RESULTS",
    "PAGE",
    "Crumb",
    "Day",
    "DrawnNode",
    "Figures",
    "Filters",
    "Generation",
    "Hit",
    "HitPage",
    "Leg",
    "Month",
    "More",
    "Row",
    "add_contacts",
    "beginning_above",
    "children_page",
    "contact_of",
    "continued",
    "crumbs",
    "drawn",
    "figures_of",
    "filtered_page",
    "generations",
    "is_near",
    "legs_in_use",
    "name_of_leg",
    "nodes_of",
    "opened",
    "search",
    "sponsor_contact",
    "sponsor_nodes",
    "top_nodes",
    "upline_ids",
]
