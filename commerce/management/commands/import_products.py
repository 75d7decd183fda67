from accounts.imports.command import ImportCommand


class Command(ImportCommand):
    help = "Import products from a CSV file. See docs/imports.md."
    kind = "products"
