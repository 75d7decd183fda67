from genealogy.views.drawing import tree_drawn
from genealogy.views.explorer import children, search, tree_list
from genealogy.views.exports import (
    export_cancel,
    export_file,
    export_start,
    exports,
)
from genealogy.views.people import distributor_card, figures

__all__ = [
    "children",
    "distributor_card",
    "export_cancel",
    "export_file",
    "export_start",
    "exports",
    "figures",
    "search",
    "tree_drawn",
    "tree_list",
]
