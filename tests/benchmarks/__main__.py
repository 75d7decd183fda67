import sys

from tests.benchmarks.close import main

sys.exit(main())
