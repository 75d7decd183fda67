import sys
from argparse import ArgumentParser

from commissions.engine.errors import EngineError
from commissions.simulation.calendar import TooManyPeriods
from commissions.simulation.command import HELP, add_options, simulate
from commissions.simulation.faults import InputError


def main() -> int:
    parser = ArgumentParser(prog="python -m commissions.simulation", description=HELP)
    add_options(parser)
    try:
        sys.stdout.write(simulate(parser.parse_args()))
    except (InputError, EngineError, TooManyPeriods, LookupError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


sys.exit(main())
