"""One step of the close benchmark in a process of its own: `load` or `run`, size, rounds."""

import json
import os
import sys
from time import monotonic

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlmcrm.settings")


def main() -> None:
    import django

    django.setup()
    from tests.benchmarks.close import measure
    from tests.benchmarks.loading import load
    from tests.benchmarks.network import generate

    step, size, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if step == "run":
        print(json.dumps(measure(size, rounds)))
        return
    since = monotonic()
    load(generate(size))
    print(json.dumps(monotonic() - since))


if __name__ == "__main__":
    main()
