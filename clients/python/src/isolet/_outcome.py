"""What a run gave."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

_VERSION = 1


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """A line that the program said. Its text is the program's: data wherever it is shown."""

    level: Literal["debug", "log", "info", "warn", "error"]
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool, for audit."""

    call: int
    path: str
    server: str
    tool: str
    line: int
    argument_bytes: int
    reply_bytes: int
    duration_ms: float
    #: "answered", "cancelled", or the code of the `ToolError` that the program got.
    end: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GuestError:
    """What the program threw."""

    name: str
    message: str
    code: str | None
    stack: str | None
    line: int | None
    column: int | None
    source_line: str | None
    causes: tuple[str, ...]
    nearest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """Why the program was ended."""

    #: "wall", "cpu", "heap", "data", "guest_lost", "calls", "traffic", "output", "deadlock", "cancelled".
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What the run took."""

    wall_ms: float
    cpu_ms: float
    host_cpu_ms: float
    heap_bytes: int
    origin: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gave. Everything that had arrived before the end is in it, whatever the end."""

    #: Which run it was.
    run: str
    #: How the program ended. Only "returned" has a value.
    end: Literal["returned", "threw", "stopped"]
    value: Any
    error: GuestError | None
    stop: Stop | None
    #: For the model: why there is no value, what to do about it, and the calls that are not to be repeated. `None` with "returned".
    message: str | None
    #: Whether a mended program can be run as if this run had never been: no call of it has reached a tool.
    repair_safe: bool
    notes: tuple[str, ...]
    console: tuple[ConsoleLine, ...]
    calls: tuple[Call, ...]
    cost: Cost

    def for_model(self) -> str:
        """What a model needs of it, as JSON: the value or the message, notes and console lines where there are any."""
        said: dict[str, Any] = {"end": self.end}
        if self.end == "returned":
            said["value"] = self.value
        else:
            said |= {"message": self.message, "repair_safe": self.repair_safe}
        if self.notes:
            said["notes"] = list(self.notes)
        if self.console:
            said["console"] = [{"text": line.text} if line.level == "log" else {"level": line.level, "text": line.text} for line in self.console]
        return json.dumps(said, ensure_ascii=False)

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Outcome:
        """The outcome in the JSON form that `runtime/schemas/outcome.json` describes."""
        if form.get("version") != _VERSION:
            raise ValueError(f"an outcome of version {form.get('version')!r} cannot be read: this package reads version {_VERSION}")
        error, stop = form.get("error"), form.get("stop")
        return cls(
            run=form["run"],
            end=form["end"],
            value=form.get("value"),
            error=None if error is None else GuestError(**_taken(GuestError, error)),
            stop=None if stop is None else Stop(**_taken(Stop, stop)),
            message=form.get("message"),
            repair_safe=form["repair_safe"],
            notes=tuple(form["notes"]),
            console=tuple(ConsoleLine(**_taken(ConsoleLine, line)) for line in form["console"]),
            calls=tuple(Call(**_taken(Call, call)) for call in form["calls"]),
            cost=Cost(**_taken(Cost, form["cost"])),
        )


def _taken(of: type, form: Mapping[str, Any]) -> dict[str, Any]:
    """The members that are known: new ones may come."""
    known = cast("Sequence[str]", of.__match_args__)  # type: ignore[attr-defined]
    return {name: tuple(form[name]) if isinstance(form[name], list) else form[name] for name in known}
