"""The suite runs on the real servers, started once and shared by all workers of a run.

They live in a folder of their own beside the development data, and do not wait for the disk. Each
worker has Redis databases of its own. pytest loads this before anything reads the settings.
"""

import atexit
import os
import tempfile
from contextlib import ExitStack

from mlmcrm import servers

held = ExitStack()
atexit.register(held.close)


def redis_database(number: int) -> str:
    return f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{number}"


os.environ["MLMCRM_ENV"] = "development"
os.environ["DJANGO_SETTINGS_MODULE"] = "mlmcrm.settings"
# Playwright's synchronous interface runs an event loop, which Django takes for an async view.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
if worker := os.environ.get("PYTEST_XDIST_WORKER", ""):
    # Two Redis databases for each worker: number 0 and 32 stay with the run's first process.
    number = int(worker.removeprefix("gw")) + 1
else:
    number = 0
    os.environ["MLMCRM_DATA_DIR"] = str(servers.data_dir() / "tests")
    os.environ.update(held.enter_context(servers.lease(servers.data_dir(), durable=False)))
os.environ["REDIS_URL"] = redis_database(number)
os.environ["CACHE_URL"] = redis_database(number + 32)
os.environ["MEDIA_ROOT"] = held.enter_context(tempfile.TemporaryDirectory(prefix="mlmcrm-media-"))
