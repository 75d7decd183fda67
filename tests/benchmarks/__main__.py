"""All that is timed: the close by the demo plan, then by the benchmark plan beside its rivals.

make bench                          10,000, 100,000 and 1,000,000 distributors: an hour
make bench ARGS="10000 100000"
"""

import sys

from tests.benchmarks import close
from tests.benchmarks.rivals.__main__ import main as beside_rivals

sizes = [argument for argument in sys.argv[1:] if argument.isdigit()]
sys.exit(max(close.main(), beside_rivals(sizes)))
