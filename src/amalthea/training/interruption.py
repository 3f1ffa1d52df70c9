"""Ctrl-C as a request to stop after the current epoch, with what was learned so far."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class StopRequest:
    """Whether the user wants to stop.

    Args:
        stop: set by the first Ctrl-C; a second one interrupts at once.
    """

    def __init__(self) -> None:
        self.stop = False


@contextlib.contextmanager
def stop_on_request() -> Iterator[StopRequest]:
    """While this is open, the first Ctrl-C only sets `stop`; a second one raises `KeyboardInterrupt` as usual."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def remember(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (the signal module's signature)
        if request.stop:
            raise KeyboardInterrupt
        request.stop = True

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield request
    finally:
        signal.signal(signal.SIGINT, before)
