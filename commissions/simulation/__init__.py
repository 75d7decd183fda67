"""The plan engine on plain files: a plan, a list of distributors, a list of orders.

No database, no settings, no clock. `reading` turns CSV into a `Company`, `placement` gives a place
to those who were given none, `periods` runs the engine period after period and hands on what is
carried, `printing` makes text or JSON of what came out.

    python -m commissions.simulation --plan plan.json --distributors d.csv --orders o.csv
"""
