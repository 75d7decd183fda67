"""One step of the close benchmark in a process of its own: `load` or `run`, and the options."""

import json
import os
import sys
from time import monotonic

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlmcrm.settings")


def main() -> None:
    import django

    django.setup()
    from tests.benchmarks.asking import asking_plan
    from tests.benchmarks.close import measure
    from tests.benchmarks.loading import load
    from tests.benchmarks.network import generate

    step, options = sys.argv[1], json.loads(sys.argv[2])
    if step == "run":
        print(json.dumps(measure(options["size"], options["rounds"])))
        return
    since = monotonic()
    network = generate(options["size"], chain=options["chain"])
    load(network, asking_plan() if options["asking"] else None)
    print(json.dumps(monotonic() - since))


if __name__ == "__main__":
    main()
