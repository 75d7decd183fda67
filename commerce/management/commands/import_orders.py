from accounts.imports.command import ImportCommand


class Command(ImportCommand):
    help = "Import orders from a CSV file. See docs/imports.md."
    kind = "orders"
