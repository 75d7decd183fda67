from accounts.imports.command import ImportCommand


class Command(ImportCommand):
    help = "Import distributors from a CSV file. See docs/imports.md."
    kind = "distributors"
