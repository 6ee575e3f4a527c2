"""Exceptions, by whose fault it is."""

from __future__ import annotations

from typing import Final

#: What a tool may say of its failure; anything else is "tool_failed".
CODES: Final = frozenset(
    {
        "tool_failed",
        "invalid_arguments",
        "too_large",
        "timed_out",
        "cancelled",
        "unavailable",
        "unauthorized",
        "cannot_ask",
        "rate_limited",
        "invalid_reply",
        "internal",
    }
)


class IsoletError(Exception):
    """No outcome of a program: the fault of the host or of the caller."""


class HostError(IsoletError):
    """The machine, a server or the program `isolet` failed."""

    def __init__(self, message: str, *, retryable: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        #: Whether the same may succeed later.
        self.retryable = retryable
        #: When at the earliest, seconds.
        self.retry_after = retry_after


class CallerError(IsoletError):
    """A mistake in the use of this package: a definition, a pattern, an option, a scope that is closed."""


class ToolError(Exception):
    """Raised by a tool: the program gets it as an exception with these words and this code.

    `code` is one of "tool_failed" (the default), "invalid_arguments", "too_large", "timed_out", "cancelled", "unavailable", "unauthorized",
    "cannot_ask", "rate_limited", "invalid_reply", "internal".
    """

    def __init__(self, message: str, *, code: str = "tool_failed", retryable: bool | None = None) -> None:
        super().__init__(message)
        if code not in CODES:
            raise ValueError(f"there is no code {code!r}: take one of {', '.join(sorted(CODES))}")
        self.message = message
        self.code = code
        self.retryable = retryable
