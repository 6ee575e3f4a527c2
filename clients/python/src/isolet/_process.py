"""A program as a child process, line by line: each is heard in the moment in which it comes, with no task in between."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from typing import Protocol, cast


class Listener(Protocol):
    """Who hears what a process says."""

    def heard(self, line: bytes) -> None:
        """A line of its standard output."""

    def heard_error(self, line: bytes) -> None:
        """A line of its standard error."""

    def ended(self, code: int) -> None:
        """It has ended, and all that it said was heard."""


class Process(asyncio.SubprocessProtocol):
    """One process, which leads a session of its own: a signal of the terminal is not for it."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._heard = {1: listener.heard, 2: listener.heard_error}
        self._parts: dict[int, list[bytes]] = {1: [], 2: []}
        #: Lines that are sent together; `None` where nothing was sent in this turn of the loop.
        self._unsent: list[bytes] | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._exited = asyncio.Event()
        self._closed = asyncio.Event()
        self._open = {1, 2}

    async def start(self, arguments: list[str]) -> None:
        """Starts the program that the first argument names."""
        self._loop, pipe = asyncio.get_running_loop(), subprocess.PIPE
        await self._loop.subprocess_exec(lambda: self, *arguments, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)

    def write_line(self, line: bytes) -> None:
        """Sends a line: the first of a turn of the loop at once, others with it by one call. Lost where the process takes nothing any more."""
        if self._unsent is None:
            self._unsent = []
            self._loop.call_soon(self._send_rest)
            self._send([line])
        else:
            self._unsent.append(line)

    def _send_rest(self) -> None:
        lines, self._unsent = self._unsent, None
        if lines:
            self._send(lines)

    def _send(self, lines: list[bytes]) -> None:
        if not self._input.is_closing():
            self._input.write(b"\n".join([*lines, b""]))

    async def room(self) -> None:
        """Waits while the process takes nothing."""
        if not self._room.is_set():
            await self._room.wait()

    def close_input(self) -> None:
        """Ends its standard input, when all is sent."""
        self._send_rest()
        self._input.close()

    async def exited(self) -> None:
        """Waits until it has ended."""
        await self._exited.wait()

    async def closed(self) -> None:
        """Waits until it has ended, and all that it said was heard."""
        await self._closed.wait()

    def give_up(self) -> None:
        """Hears nothing of it any more."""
        self._transport.close()

    def kill(self) -> None:
        """Ends it at once, with whatever it has started in its session."""
        if not self._closed.is_set():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._transport.get_pid(), signal.SIGKILL)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self._input = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        first, *others = data.split(b"\n")
        parts = self._parts[fd]
        parts.append(first)
        for other in others:
            line = b"".join(parts)
            # Before it is heard: what it is heard by may raise.
            parts[:] = [other]
            self._heard[fd](line)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == 0:
            self._room.set()
            return
        if rest := b"".join(self._parts[fd]):
            self._parts[fd].clear()
            self._heard[fd](rest)
        self._open.discard(fd)
        self._end()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def process_exited(self) -> None:
        self._exited.set()
        self._end()

    def _end(self) -> None:
        """Tells that it has ended, if it has, and nobody can say anything in its name any more."""
        if self._exited.is_set() and not self._open and not self._closed.is_set():
            self._closed.set()
            self._room.set()
            self._transport.close()
            self._listener.ended(self._transport.get_returncode() or 0)
