"""Ctrl-C: once, the chunk is finished and the history returned; twice, stop now."""

import signal
import threading
from types import FrameType


class Interrupt:
    """`with Interrupt() as interrupt:` turns the first Ctrl-C into `interrupt.asked`; the second raises."""

    def __init__(self) -> None:
        self.asked = False
        self._before: object = None

    def __enter__(self) -> "Interrupt":  # noqa: PYI034  Self is not checked at run time
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]

    def _note(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
