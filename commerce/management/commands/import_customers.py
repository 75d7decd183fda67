from accounts.imports.command import ImportCommand


class Command(ImportCommand):
    help = "Import customers from a CSV file. See docs/imports.md."
    kind = "customers"
