import signal
import sys
from contextlib import suppress

from mlmcrm.servers import data_dir, lease


def main() -> None:
    """`python -m mlmcrm.servers`: keeps the servers up until Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with suppress(KeyboardInterrupt), lease(data_dir()) as addresses:
        for name, address in addresses.items():
            sys.stdout.write(f"{name}={address}\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main()
