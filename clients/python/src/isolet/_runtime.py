"""The runtime and its scopes."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, cast

from ._answers import answer_of, no_tool
from ._errors import CallerError, HostError
from ._outcome import Outcome
from ._peer import Peer
from ._program import find_program
from ._threads import Threads
from ._tools import Definition, Tool

log = logging.getLogger("isolet")

#: The version of what is spoken with the program.
_PROTOCOL = 1
VERSION = "0.1.0"
_START_MAX = 30.0

AnyTool = Tool | Definition | Callable[..., Any]
Tools = Sequence[AnyTool] | Mapping[str, Sequence[AnyTool]]


@dataclass(frozen=True, slots=True)
class Event:
    """What happens in a run, as it happens: "console", "called" or "answered"."""

    kind: str
    level: str | None = None
    text: str | None = None
    call: int | None = None
    path: str | None = None
    end: str | None = None
    duration_ms: float | None = None


@dataclass(slots=True)
class _Run:
    """What is needed of a run while it is under way."""

    context: contextvars.Context
    on_event: Callable[[Event], None] | None


class Runtime:
    """The program `isolet` as a child process: once for an application. `async with Runtime() as runtime`.

    `limits` are the ceilings of all runs (`wall_max_ms`, `heap_bytes_max`, ...: docs/exec.md); `strict` runs nothing where a wall is missing,
    `isolation="system_calls"` nothing where another one than landlock is.
    """

    def __init__(
        self,
        *,
        program: str | os.PathLike[str] | None = None,
        limits: Mapping[str, int] | None = None,
        strict: bool = False,
        isolation: Literal["system_calls", "strict"] | None = None,
        live_runs_max: int | None = None,
    ) -> None:
        self._named = program
        self._options: dict[str, Any] = {"limits": dict(limits or {}), "strict": strict}
        if isolation is not None:
            self._options["isolation"] = isolation
        if live_runs_max is not None:
            self._options["live_runs_max"] = live_runs_max
        self._peer: Peer | None = None
        self._is_closed = False
        self._threads = Threads()
        self._answer_bytes_max = 0
        self._scopes: dict[str, Scope] = {}
        self._runs: dict[Any, _Run] = {}
        self._calls: dict[Any, asyncio.Task[None]] = {}
        #: The ceilings in force, when it has started.
        self.limits: Mapping[str, int] = {}

    async def start(self) -> Runtime:
        """Starts the program, if it does not run yet."""
        if self._is_closed:
            raise CallerError("the runtime is closed: make another one")
        if self._peer is not None:
            return self
        peer = await Peer.start(find_program(self._named), self._called, self._told)
        client = {"name": "isolet for Python", "version": VERSION}
        try:
            said = await asyncio.wait_for(
                peer.request("initialize", {"protocol": _PROTOCOL, "client": client, **self._options}), _START_MAX
            )
        except BaseException as error:
            peer.kill()
            await peer.close()
            if isinstance(error, asyncio.TimeoutError):
                raise HostError("the program `isolet` does not answer: is `program`, `ISOLET` or the `isolet` of the `PATH` another one?") from None
            raise
        self.limits = said["limits"]
        self._answer_bytes_max = said["maxima"]["line_bytes"]
        self._peer = peer
        return self

    async def close(self) -> None:
        """Ends all runs, servers and the program, and waits for them."""
        peer, self._peer, self._is_closed = self._peer, None, True
        # None of them is answered any more: their runs end as cancelled, not as failed.
        calls = list(self._calls.values())
        self._calls.clear()
        for call in calls:
            call.cancel()
        self._threads.close()
        if peer is not None:
            await peer.close()
        await asyncio.gather(*calls, return_exceptions=True)

    async def __aenter__(self) -> Runtime:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

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
        """What a program may call: tools of this process and of MCP servers. It is opened at its first use.

        `tools` are functions, tools and definitions, which a program calls as `app.NAME` (or as `name` says), or lists of them by namespace.
        `servers` are MCP servers as a client's configuration names them: `{"github": {"command": ..., "args": [...]}}`. `allow` and `deny` are
        patterns for `namespace.tool`, `pins` fix arguments: `{"github.list_issues": {"owner": "acme"}}`.
        """
        given = tools if isinstance(tools, Mapping) else {name: tools} if tools else {}
        lists = {server: _listed(listed) for server, listed in given.items()}
        own = {server: {made.name: made for made in map(_made, listed)} for server, listed in lists.items()}
        for server, listed in lists.items():
            if len(own[server]) != len(listed):
                raise CallerError(f"two tools of `{server}` have one name: give one of them another with `@tool(name=...)`")
        params: dict[str, Any] = {
            "tools": {server: [tool.definition() for tool in listed.values()] for server, listed in own.items()},
            "allow": _texts("allow", allow),
            "deny": _texts("deny", deny),
            "pins": dict(pins or {}),
            "rename": dict(rename or {}),
            "describe": dict(describe or {}),
            "environment": _texts("environment", environment),
            "addresses": _texts("addresses", addresses),
        }
        if servers:
            params["configuration"] = {"mcpServers": servers}
        return Scope(self, params, own)

    def peer(self) -> Peer:
        """The conversation with the program; for scopes."""
        if self._peer is None:
            raise CallerError("the runtime has not been started, or is closed: use it within `async with Runtime() as runtime`")
        return self._peer

    async def run(self, scope: Scope, params: Mapping[str, Any], on_event: Callable[[Event], None] | None) -> Outcome:
        """Runs a program in a scope that is open; for scopes."""
        numbers: list[int] = []

        def begin(number: int) -> None:
            numbers.append(number)
            self._runs[number] = _Run(contextvars.copy_context(), on_event)

        try:
            form = await self.peer().request("run", params, begin)
        finally:
            for number in numbers:
                del self._runs[number]
        try:
            return Outcome.from_json(form)
        except (KeyError, TypeError, ValueError) as error:
            raise HostError(f"the program `isolet` gave an outcome that this package cannot read: {error}: use those of one release") from error

    def know(self, name: str, scope: Scope | None) -> None:
        """Notes a scope that is open, or that it is no more; for scopes."""
        if scope is None:
            self._scopes.pop(name, None)
        else:
            self._scopes[name] = scope

    def _called(self, number: Any, params: Mapping[str, Any]) -> None:
        """A program calls a tool of this process: in the context of whoever runs it."""
        run = self._runs.get(params["run"])
        context = contextvars.copy_context() if run is None else run.context
        task = context.run(asyncio.ensure_future, self._answer(number, params))
        self._calls[number] = task

    async def _answer(self, number: Any, params: Mapping[str, Any]) -> None:
        peer = self._peer
        try:
            scope = self._scopes.get(params["scope"])
            tool = scope.own(params["server"], params["tool"]) if scope is not None else None
            if tool is None:
                line = no_tool(number, params["server"], params["tool"])
            else:
                line = await answer_of(number, tool, params["arguments"], self._threads, self._answer_bytes_max)
        finally:
            is_wanted = self._calls.pop(number, None) is not None
        if is_wanted and peer is not None:
            await peer.say_line(line)

    def _told(self, method: str, params: Mapping[str, Any]) -> None:
        if method == "tool/cancelled":
            call = self._calls.pop(params["id"], None)
            if call is not None:
                call.cancel()
        elif method == "warning":
            log.warning("%s", params.get("message"))
        elif method.startswith("run/"):
            run = self._runs.get(params["run"])
            if run is None or run.on_event is None:
                return
            said = {name: params.get(name) for name in ("level", "text", "call", "path", "end", "duration_ms")}
            try:
                run.on_event(Event(method.removeprefix("run/"), **said))
            except Exception:
                log.exception("`on_event` failed")


class Scope:
    """What a program may call. It is opened at its first use, and closed with its runtime at the latest."""

    def __init__(self, runtime: Runtime, params: Mapping[str, Any], own: Mapping[str, Mapping[str, Tool | Definition]]) -> None:
        self._runtime = runtime
        self._params = params
        self._own = own
        self._name: str | None = None
        self._is_closed = False
        self._opening = asyncio.Lock()
        #: What may have been meant otherwise, and what is left out, when it is open.
        self.warnings: tuple[str, ...] = ()
        #: Why servers failed whose tools are not there, when it is open.
        self.failures: tuple[str, ...] = ()

    async def open(self) -> Scope:
        """Opens it: servers are started and asked for their tools."""
        await self._opened()
        return self

    async def types(self, *, budget: int | None = None) -> str:
        """The TypeScript of the tools, for the model: in full, or within so many tokens."""
        params: dict[str, Any] = {"scope": await self._opened()}
        if budget is not None:
            params["budget"] = budget
        said = await self._runtime.peer().request("types", params)
        return str(said["types"])

    async def run(
        self,
        program: str,
        *,
        limits: Mapping[str, int] | None = None,
        seed: tuple[int, int, int, int] | None = None,
        clock_ms: int | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> Outcome:
        """Runs a program: the body of an async function in TypeScript. Cancelling the task ends it.

        `limits` lower those of the runtime; `seed` and `clock_ms` make its randomness and its clock begin where they say.
        """
        params: dict[str, Any] = {"scope": await self._opened(), "program": program, "limits": dict(limits or {})}
        if seed is not None:
            params["seed"] = list(seed)
        if clock_ms is not None:
            params["clock_ms"] = clock_ms
        if on_event is not None:
            params["events"] = True
        return await self._runtime.run(self, params, on_event)

    async def close(self) -> None:
        """Ends its runs and its servers."""
        async with self._opening:
            name, self._name = self._name, None
            self._is_closed = True
            if name is not None:
                try:
                    await self._runtime.peer().request("scope/close", {"scope": name})
                finally:
                    self._runtime.know(name, None)

    async def __aenter__(self) -> Scope:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def own(self, server: str, name: str) -> Tool | Definition | None:
        """The tool of this process; for the runtime."""
        return self._own.get(server, {}).get(name)

    async def _opened(self) -> str:
        async with self._opening:
            if self._is_closed:
                raise CallerError("the scope is closed: make another one with `runtime.scope(...)`")
            if self._name is None:
                said = await self._runtime.peer().request("scope/open", self._params)
                self._name = str(said["scope"])
                self.warnings, self.failures = tuple(said["warnings"]), tuple(said["failures"])
                self._runtime.know(self._name, self)
            return self._name


def _listed(tools: Any) -> list[AnyTool]:
    if isinstance(tools, Iterable) and not isinstance(tools, str):
        return list(cast("Iterable[AnyTool]", tools))
    name = getattr(tools, "name", None) or getattr(tools, "__name__", tools)
    raise CallerError(f"`tools` is a list of tools, or such lists by namespace: write `[{name}]`")


def _texts(what: str, given: Sequence[str]) -> list[str]:
    if isinstance(given, str):
        raise CallerError(f'`{what}` is a list of texts: write `["{given}"]`')
    return list(given)


def _made(tool: AnyTool) -> Tool | Definition:
    if not isinstance(tool, Definition) and not callable(tool):
        raise CallerError(f"`{tool!r}` is no tool: give a function, or a `Definition`")
    try:
        return tool if isinstance(tool, (Tool, Definition)) else Tool(tool)
    except TypeError as error:
        raise CallerError(f"the tool `{getattr(tool, '__name__', tool)}` cannot be defined: {error}") from error
