#!/usr/bin/env python
"""Django's command line. In development it lends itself the embedded servers for its own time."""

import os
import sys

WITHOUT_SERVERS = {
    "check", "collectstatic", "help", "plan", "simulate_plan", "version", "--help", "--version",
}  # fmt: skip


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlmcrm.settings")
    from django.core.management import execute_from_command_line

    from mlmcrm import servers

    if len(sys.argv) < 2 or sys.argv[1] in WITHOUT_SERVERS or servers.all_outside(os.environ):
        execute_from_command_line(sys.argv)
        return
    with servers.lease(servers.data_dir()) as addresses:
        os.environ.update(addresses)
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
