"""Threads that work before and after a loop, joined to it by short queues that bound memory."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_AHEAD = 4  # items that one side may be ahead of the other
_PATIENCE_S = 0.1  # after that long on a full queue, look whether the other side has ended


class Ahead(Generic[T]):
    """An iterator that a thread keeps a few items ahead of its reader."""

    def __init__(self, items: Iterable[T], *, live: bool = False) -> None:
        """Start at once.

        Args:
            items: iterated over in the thread.
            live: keep the newest item only; an item that was not read in time is dropped.
        """
        self._live = live
        self._queue: queue.Queue[T | None] = queue.Queue(1 if live else _AHEAD)
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(items,), daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        """Yield the items; an exception of the thread is raised here."""
        while (item := self._queue.get()) is not None:
            yield item
        if self._error:
            raise self._error

    def close(self) -> None:
        """Stop the thread after its current item and wait for its end."""
        self._stopped.set()
        self._thread.join()

    def _run(self, items: Iterable[T]) -> None:
        try:
            for item in items:
                if not self._put(item):
                    return
        except BaseException as error:  # raised again in the thread that reads
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
    """A queue whose items a thread hands to a function."""

    def __init__(self, consume: Callable[[T], None]) -> None:
        """Start at once."""
        self._consume = consume
        self._queue: queue.Queue[T | None] = queue.Queue(_AHEAD)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Add an item, waiting for room; an exception of the thread is raised here."""
        while self._error is None:
            try:
                return self._queue.put(item, timeout=_PATIENCE_S)
            except queue.Full:
                continue
        raise self._error

    def close(self) -> None:
        """Wait until all items are done; an exception of the thread is raised here."""
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
        except BaseException as error:  # raised again in the thread that adds items
            self._error = error
