"""Work ahead of, and behind, a loop: one thread each, with a short queue that bounds memory."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_AHEAD = 4  # items that one side may be ahead of the other
_PATIENCE_S = 0.1  # between two looks at whether the other side is still there


class Ahead(Generic[T]):
    """Iterates over something in a thread, a few items ahead of whoever iterates over this."""

    def __init__(self, items: Iterable[T], *, live: bool = False) -> None:
        """Start at once.

        Args:
            items: what to iterate over.
            live: drop what nobody has taken when the next item comes, so that none is old.
        """
        self._live = live
        self._queue: queue.Queue[T | None] = queue.Queue(1 if live else _AHEAD)
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(items,), daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        """The items; what the thread raised is raised here."""
        while (item := self._queue.get()) is not None:
            yield item
        if self._error:
            raise self._error

    def close(self) -> None:
        """Stop after the item in work, whatever is left; returns when the thread has ended."""
        self._stopped.set()
        self._thread.join()

    def _run(self, items: Iterable[T]) -> None:
        try:
            for item in items:
                if not self._put(item):
                    return
        except BaseException as error:  # it belongs to the thread that iterates
            self._error = error
        self._put(None)

    def _put(self, item: T | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=0 if self._live else _PATIENCE_S)
                return True
            except queue.Full:
                if self._live:
                    with contextlib.suppress(queue.Empty):
                        self._queue.get_nowait()
        return False


class Behind(Generic[T]):
    """Hands items to a function in a thread, a few items behind whoever puts them in."""

    def __init__(self, consume: Callable[[T], None]) -> None:
        """Start at once."""
        self._consume = consume
        self._queue: queue.Queue[T | None] = queue.Queue(_AHEAD)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Hand over an item, waiting for room; what the thread raised is raised here."""
        while self._error is None:
            try:
                return self._queue.put(item, timeout=_PATIENCE_S)
            except queue.Full:
                continue
        raise self._error

    def close(self) -> None:
        """Wait until everything is done; what the thread raised is raised here."""
        while self._thread.is_alive():
            try:
                self._queue.put(None, timeout=_PATIENCE_S)
                break
            except queue.Full:
                continue
        self._thread.join()
        if self._error:
            raise self._error

    def _run(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                self._consume(item)
        except BaseException as error:  # it belongs to the thread that puts
            self._error = error
