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

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(300):
            mtcnn._network("pnet")
    finally:
        stopped.set()
        thread.join()
