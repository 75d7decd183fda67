"""Keeps the servers up until Ctrl-C and prints their addresses; `remove` deletes their data."""

import signal
import sys
from contextlib import suppress

from mlmcrm.servers import data_dir, lease, remove


def main() -> None:
    if sys.argv[1:] == ["remove"]:
        for folder in (data_dir() / "tests", data_dir()):
            remove(folder)
        return
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with suppress(KeyboardInterrupt), lease(data_dir()) as addresses:
        for name, address in addresses.items():
            sys.stdout.write(f"{name}={address}\n")
        sys.stdout.flush()
        # Blocked, a signal waits for sigwait, also where a shell's "&" had Ctrl-C ignored.
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)
        signal.sigwait(ends)


if __name__ == "__main__":
    main()
