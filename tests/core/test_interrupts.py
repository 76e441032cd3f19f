"""Ctrl-C while results are stored or processes are started."""

import signal

import pytest

from core.interrupts import deferred_interrupts, without_interrupts


def test_ctrl_c_is_ignored_and_works_again_afterwards():
    with without_interrupts():
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_waits_for_the_end_of_the_block():
    done = []

    def block():
        with deferred_interrupts():
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == [True]


def test_an_error_in_the_block_is_raised_and_the_handler_restored():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError, match="damaged"), deferred_interrupts():
        raise ValueError("damaged")
    assert signal.getsignal(signal.SIGINT) is before
