"""The same without asyncio: every call waits. Tools may be functions of both kinds.

    from isolet.sync import Runtime

    with Runtime() as runtime:
        scope = runtime.scope(tools=[add])
        outcome = scope.run("return await app.add({ a: 2, b: 3 })")
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, TypeVar

from . import Runtime as _AsyncRuntime
from . import Scope as _AsyncScope
from ._errors import CallerError
from ._outcome import Outcome
from ._runtime import Event, Tools

__all__ = ["Runtime", "Scope"]

_T = TypeVar("_T")


class Runtime:
    """As `isolet.Runtime`: `with Runtime() as runtime`. It may be used by several threads."""

    def __init__(
        self,
        *,
        program: str | os.PathLike[str] | None = None,
        limits: Mapping[str, int] | None = None,
        strict: bool = False,
        isolation: Literal["system_calls", "strict"] | None = None,
        live_runs_max: int | None = None,
    ) -> None:
        self._runtime = _AsyncRuntime(program=program, limits=limits, strict=strict, isolation=isolation, live_runs_max=live_runs_max)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def limits(self) -> Mapping[str, int]:
        """The ceilings in force, when it has started."""
        return self._runtime.limits

    def start(self) -> Runtime:
        """Starts the program, if it does not run yet."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="isolet", daemon=True)
            self._thread.start()
            try:
                self.wait(self._runtime.start())
            except BaseException:
                self._end_loop()
                raise
        return self

    def close(self) -> None:
        """Ends all runs, servers and the program, and waits for them."""
        if self._loop is not None:
            try:
                self.wait(self._runtime.close())
            finally:
                self._end_loop()

    def scope(
        self,
        tools: Tools = (),
        *,
        name: str = "app",
        servers: Mapping[str, Mapping[str, Any]] | None = None,
        allow: Sequence[str] = (),
        deny: Sequence[str] = (),
        pins: Mapping[str, Mapping[str, Any]] | None = None,
        rename: Mapping[str, str] | None = None,
        describe: Mapping[str, str] | None = None,
        environment: Sequence[str] = (),
        addresses: Sequence[str] = (),
    ) -> Scope:
        """What a program may call: as `isolet.Runtime.scope`."""
        scope = self._runtime.scope(
            tools,
            name=name,
            servers=servers,
            allow=allow,
            deny=deny,
            pins=pins,
            rename=rename,
            describe=describe,
            environment=environment,
            addresses=addresses,
        )
        return Scope(self, scope)

    def wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Has the loop do it, and waits; an interrupt cancels it."""
        if self._loop is None:
            work.close()
            raise CallerError("the runtime has not been started, or is closed: use it within `with Runtime() as runtime`")
        done: concurrent.futures.Future[_T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return done.result()
        except BaseException:
            done.cancel()
            raise

    def _end_loop(self) -> None:
        loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def __enter__(self) -> Runtime:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()


class Scope:
    """As `isolet.Scope`."""

    def __init__(self, runtime: Runtime, scope: _AsyncScope) -> None:
        self._runtime = runtime
        self._scope = scope

    @property
    def warnings(self) -> tuple[str, ...]:
        """What may have been meant otherwise, and what is left out, when it is open."""
        return self._scope.warnings

    @property
    def failures(self) -> tuple[str, ...]:
        """Why servers failed whose tools are not there, when it is open."""
        return self._scope.failures

    def open(self) -> Scope:
        """Opens it: servers are started and asked for their tools."""
        self._runtime.wait(self._scope.open())
        return self

    def types(self, *, budget: int | None = None) -> str:
        """The TypeScript of the tools, for the model: in full, or within so many tokens."""
        return self._runtime.wait(self._scope.types(budget=budget))

    def run(
        self,
        program: str,
        *,
        limits: Mapping[str, int] | None = None,
        seed: tuple[int, int, int, int] | None = None,
        clock_ms: int | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> Outcome:
        """Runs a program: the body of an async function in TypeScript."""
        return self._runtime.wait(self._scope.run(program, limits=limits, seed=seed, clock_ms=clock_ms, on_event=on_event))

    def close(self) -> None:
        """Ends its runs and its servers."""
        self._runtime.wait(self._scope.close())

    def __enter__(self) -> Scope:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()
