"""Where the program `isolet` is."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from ._errors import HostError

_HERE = Path(__file__).parent


def find_program(named: str | os.PathLike[str] | None) -> str:
    """The path of the program: named, in the variable `ISOLET`, packaged with this one, or on the `PATH`."""
    for said, path in (("`program`", named), ("the variable `ISOLET`", os.environ.get("ISOLET"))):
        if path:
            found = shutil.which(path)
            if found is None:
                raise HostError(f"{said} names `{os.fspath(path)}`, which is no program that can be started: name the program `isolet`")
            return found
    for candidate in (*_packaged(), "isolet"):
        found = shutil.which(candidate)
        if found is not None:
            return found
    raise HostError(f"the program `isolet` is not there: {_missing()}")


def _packaged() -> Iterator[str]:
    """Where an installer may have put the program of the wheel."""
    try:
        files = importlib.metadata.files("isolet") or []
    except importlib.metadata.PackageNotFoundError:  # the modules of a checkout
        files = []
    for file in files:
        if file.name == "isolet" and file.parent.name == "bin":
            yield str(file.locate())
    yield str(_HERE.parent / "bin" / "isolet")  # `pip install --target`, whose list of files is wrong about it
    yield os.path.join(sysconfig.get_path("scripts") or "", "isolet")


def _missing() -> str:
    """Why, and what to do about it."""
    here = f"{sys.platform} on {platform.machine()}"
    has_wheel = sys.platform == "linux" and platform.machine() == "x86_64" and platform.libc_ver()[0] == "glibc"
    why = "this is the package without it" if has_wheel else f"there is no wheel with it for {here}, but for Linux on x86-64 with glibc alone"
    other = "" if has_wheel else "build it with `cargo install isolet-server --locked`, or "
    again = "install the wheel with `pip install --force-reinstall --only-binary isolet isolet`, or " if has_wheel else ""
    return f"{why}, and there is none on the `PATH`: {again}{other}name it in the variable `ISOLET`"
