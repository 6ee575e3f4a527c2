"""The program `isolet exec` and the conversation with it: JSON-RPC 2.0, one message a line."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from ._errors import CallerError, HostError, IsoletError

log = logging.getLogger("isolet")

#: Errors that are no mistake of the caller: busy, failed, a fault of the program.
_HOST_CODES = frozenset({-32000, -32001, -32603})
_END_MAX = 5.0
_CHUNK_BYTES = 1 << 16


class Peer:
    """One process. `on_call` gets the requests of the program, `on_notice` its notifications."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        program: str,
        on_call: Callable[[Any, Mapping[str, Any]], None],
        on_notice: Callable[[str, Mapping[str, Any]], None],
    ) -> None:
        self._process = process
        self._program = program
        self._on_call = on_call
        self._on_notice = on_notice
        self._last = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._drain = asyncio.Lock()
        self._said: collections.deque[str] = collections.deque(maxlen=20)
        self._dead: HostError | None = None
        self._errors = asyncio.create_task(self._read_errors())
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls,
        program: str,
        on_call: Callable[[Any, Mapping[str, Any]], None],
        on_notice: Callable[[str, Mapping[str, Any]], None],
    ) -> Peer:
        """Starts the program. A signal of the terminal is for this process alone, which then ends the other."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                program, "exec", stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
            )
        except OSError as error:
            raise HostError(f"the program `{program}` cannot be started: {error.strerror or error}") from error
        return cls(process, program, on_call, on_notice)

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
        await self.drained()

    async def drained(self) -> None:
        """Waits while the program takes nothing."""
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # whoever reads finds that the program has ended
            async with self._drain:
                await self._process.stdin.drain()

    def write_line(self, line: bytes) -> None:
        """Sends what is a message already."""
        assert self._process.stdin is not None
        if self._dead is None and not self._process.stdin.is_closing():
            self._process.stdin.write(line + b"\n")

    async def close(self) -> None:
        """Ends the program and waits for it; within ten seconds nothing of it is left."""
        with contextlib.suppress(IsoletError, asyncio.TimeoutError):
            await asyncio.wait_for(self.request("shutdown", {}), _END_MAX)
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _END_MAX)
        except asyncio.TimeoutError:
            self.kill()
            await self._process.wait()
        done, held = await asyncio.wait({self._reader, self._errors}, timeout=_END_MAX)
        for task in held:
            task.cancel()
        await asyncio.gather(*done, *held, return_exceptions=True)

    def kill(self) -> None:
        """Ends the program at once."""
        # It leads a session, so this reaches whatever it has started.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _write(self, message: Mapping[str, Any]) -> None:
        try:
            line = encode(message)
        except (TypeError, ValueError, RecursionError) as error:
            raise CallerError(f"what is to be sent cannot be JSON: {error}") from None
        self.write_line(line)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            async for line in _lines(self._process.stdout):
                self._hear(line)
        except Exception as error:  # what follows cannot be understood
            log.exception("the program `isolet` cannot be understood")
            self.kill()
            self._die(f"said what cannot be understood: {error}")
        else:
            await self._errors
            code = await self._process.wait()
            words = "; ".join(self._said)
            self._die(f"ended with exit code {code}{': ' if words else ''}{words}")

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

    async def _read_errors(self) -> None:
        assert self._process.stderr is not None
        async for line in _lines(self._process.stderr):
            text = line.decode("utf-8", "replace")
            self._said.append(text)
            log.warning("%s", text)

    def _die(self, what: str) -> None:
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


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    parts: list[bytes] = []
    while chunk := await stream.read(_CHUNK_BYTES):
        first, *others = chunk.split(b"\n")
        parts.append(first)
        for other in others:
            yield b"".join(parts)
            parts = [other]
    if rest := b"".join(parts):
        yield rest


def _raised(error: Mapping[str, Any]) -> IsoletError:
    message = str(error.get("message"))
    if error.get("code") not in _HOST_CODES:
        return CallerError(message)
    data: Mapping[str, Any] = error.get("data") or {}
    after = data.get("retry_after_ms")
    return HostError(message, retryable=bool(data.get("retryable")), retry_after=None if after is None else after / 1000)
