"""Threads for tools that block: as many as are needed, and none that keeps the interpreter from ending."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any

_Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any]]


class Threads:
    """At most `most` threads; calls beyond them wait."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._pending = 0

    def run(self, call: Callable[[], Any]) -> asyncio.Future[Any]:
        """Calls it in a thread. Whoever stops waiting does not stop the thread."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        with self._lock:
            self._pending += 1
            is_short = self._pending > self._threads and self._threads < self._most
            if is_short:
                self._threads += 1
        if is_short:
            threading.Thread(target=self._work, name="isolet-tool", daemon=True).start()
        self._jobs.put((loop, future, call))
        return future

    def close(self) -> None:
        """Ends the threads that are idle, and each other when its call returns."""
        with self._lock:
            for _ in range(self._threads):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            loop, future, call = job
            try:
                result, error = call(), None
            except BaseException as raised:  # also what would end a thread: its caller is told
                result, error = None, raised
            with self._lock:
                self._pending -= 1
            # Where the loop is closed, nobody waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    elif isinstance(error, Exception) and not isinstance(error, StopIteration):
        future.set_exception(error)
    else:
        future.set_exception(RuntimeError(f"{type(error).__name__}: {error}"))
