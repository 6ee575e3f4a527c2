"""The program `isolet exec` and the conversation with it: JSON-RPC 2.0, one message a line."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from ._errors import CallerError, HostError, IsoletError
from ._process import Process

log = logging.getLogger("isolet")

#: Errors that are no mistake of the caller: busy, failed, a fault of the program.
_HOST_CODES = frozenset({-32000, -32001, -32603})
_END_MAX = 5.0


class Peer:
    """One process. `on_call` gets the requests of the program, `on_notice` its notifications."""

    def __init__(
        self,
        program: str,
        on_call: Callable[[Any, Mapping[str, Any]], None],
        on_notice: Callable[[str, Mapping[str, Any]], None],
    ) -> None:
        self._program = program
        self._on_call = on_call
        self._on_notice = on_notice
        self._last = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._said: collections.deque[str] = collections.deque(maxlen=20)
        self._dead: HostError | None = None
        self._process = Process(self)

    @classmethod
    async def start(
        cls,
        program: str,
        on_call: Callable[[Any, Mapping[str, Any]], None],
        on_notice: Callable[[str, Mapping[str, Any]], None],
    ) -> Peer:
        """Starts the program. A signal of the terminal is for this process alone, which then ends the other."""
        peer = cls(program, on_call, on_notice)
        try:
            await peer._process.start([program, "exec"])
        except OSError as error:
            raise HostError(f"the program `{program}` cannot be started: {error.strerror or error}") from error
        return peer

    async def request(self, method: str, params: Mapping[str, Any], on_id: Callable[[int], None] | None = None) -> Any:
        """Asks, and waits for the answer. Whoever stops waiting has cancelled the request."""
        self._last += 1
        number = self._last
        if on_id is not None:
            on_id(number)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._dead is not None:
            raise self._dead
        self._waiting[number] = answer
        try:
            await self.say({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
            return await answer
        except asyncio.CancelledError:
            # Who is cancelled while it waits has cancelled what it waits for.
            if answer.cancelled() or not answer.done():
                self._write({"jsonrpc": "2.0", "method": "cancel", "params": {"request": number}})
            raise
        finally:
            self._waiting.pop(number, None)

    async def say(self, message: Mapping[str, Any]) -> None:
        """Sends a message, and waits while the program takes none."""
        self._write(message)
        await self._process.room()

    async def say_line(self, line: bytes) -> None:
        """Sends what is a message already, and waits while the program takes none."""
        self._write_line(line)
        await self._process.room()

    async def close(self) -> None:
        """Ends the program and waits for it; within ten seconds nothing of it is left."""
        with contextlib.suppress(IsoletError, asyncio.TimeoutError):
            await asyncio.wait_for(self.request("shutdown", {}), _END_MAX)
        self._process.close_input()
        try:
            await asyncio.wait_for(self._process.exited(), _END_MAX)
        except asyncio.TimeoutError:
            self.kill()
            await self._process.exited()
        try:
            await asyncio.wait_for(self._process.closed(), _END_MAX)
        except asyncio.TimeoutError:
            self._process.give_up()
            self._die("has ended, and something that it has started has not")

    def kill(self) -> None:
        """Ends the program at once."""
        self._process.kill()

    def heard(self, line: bytes) -> None:
        """The program says something."""
        if self._dead is not None:
            return
        try:
            self._hear(line)
        except Exception as error:  # what follows cannot be understood
            log.exception("the program `isolet` cannot be understood")
            self.kill()
            self._die(f"said what cannot be understood: {error}")

    def heard_error(self, line: bytes) -> None:
        """The program says something on standard error."""
        text = line.decode("utf-8", "replace")
        self._said.append(text)
        log.warning("%s", text)

    def ended(self, code: int) -> None:
        """The program has ended."""
        words = "; ".join(self._said)
        self._die(f"ended with exit code {code}{': ' if words else ''}{words}")

    def _write(self, message: Mapping[str, Any]) -> None:
        try:
            line = encode(message)
        except (TypeError, ValueError, RecursionError) as error:
            raise CallerError(f"what is to be sent cannot be JSON: {error}") from None
        self._write_line(line)

    def _write_line(self, line: bytes) -> None:
        if self._dead is None:
            self._process.write_line(line)

    def _hear(self, line: bytes) -> None:
        message = json.loads(line)
        method: str | None = message.get("method")
        number: Any = message.get("id")
        if method is not None and number is not None:
            self._on_call(number, message["params"])
        elif method is not None:
            self._on_notice(method, message["params"])
        elif isinstance(number, int) and (answer := self._waiting.get(number)) is not None and not answer.done():
            if "error" in message:
                answer.set_exception(_raised(message["error"]))
            else:
                answer.set_result(message["result"])
        elif number is None and "error" in message:
            log.warning("the program `isolet` refused a message: %s", message["error"].get("message"))

    def _die(self, what: str) -> None:
        if self._dead is not None:
            return
        self._dead = HostError(f"the program `{self._program}` {what}", retryable=True)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(self._dead)


def encode(message: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """JSON on one line."""
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=default)
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair: the program makes a replacement character of it
        return json.dumps(message, allow_nan=False, separators=(",", ":"), default=default).encode()


def _raised(error: Mapping[str, Any]) -> IsoletError:
    message = str(error.get("message"))
    if error.get("code") not in _HOST_CODES:
        return CallerError(message)
    data: Mapping[str, Any] = error.get("data") or {}
    after = data.get("retry_after_ms")
    return HostError(message, retryable=bool(data.get("retryable")), retry_after=None if after is None else after / 1000)
