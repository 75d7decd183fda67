from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from genealogy.models.node import Tree
from genealogy.services.tree_check import find_breaks
from genealogy.services.tree_index import rebuild_tree


class Command(BaseCommand):
    help = "Compare the tree index with the parents it is made from; --fix builds it anew."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tree", choices=Tree.values, help="only this tree")
        parser.add_argument("--fix", action="store_true", help="rebuild a tree that differs")

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for tree in [options["tree"]] if options["tree"] else Tree.values:
            breaks = find_breaks(tree)
            for found in breaks:
                self.stdout.write(f"{tree}: {found.number} {found.what}")
            if breaks and options["fix"]:
                count = rebuild_tree(tree)
                breaks = find_breaks(tree)
                self.stdout.write(f"{tree}: built anew, {count:,} distributors")
            broken += len(breaks)
            if not breaks:
                self.stdout.write(f"{tree}: in order")
        if broken:
            raise CommandError("The tree index differs from the parents; --fix builds it anew.")
