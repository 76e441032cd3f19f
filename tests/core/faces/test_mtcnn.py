"""MTCNN's files of weights, which are found without importing their package."""

import sys
import threading

from core.faces import mtcnn


def test_the_weights_are_found_while_another_thread_changes_the_search_path():
    stopped = threading.Event()

    def change() -> None:
        while not stopped.is_set():
            sys.path.insert(0, "elsewhere")
            sys.path.remove("elsewhere")

    interval, thread = sys.getswitchinterval(), threading.Thread(target=change)
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        # With importlib's find_spec, about one in 3,000 calls skipped the entry that has the package.
        assert {mtcnn._folder_of_weights().name for _ in range(20_000)} == {mtcnn.PACKAGE}
    finally:
        stopped.set()
        thread.join()
        sys.setswitchinterval(interval)
