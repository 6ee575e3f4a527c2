"""Where the program `isolet` is."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

from ._errors import HostError

_BESIDE = Path(__file__).parent / "bin" / "isolet"


def find_program(named: str | os.PathLike[str] | None) -> str:
    """The path of the program: named, in the variable `ISOLET`, packaged with this one, or on the `PATH`."""
    for said, path in (("`program`", named), ("the variable `ISOLET`", os.environ.get("ISOLET"))):
        if path:
            found = shutil.which(path)
            if found is None:
                raise HostError(f"{said} names `{os.fspath(path)}`, which is no program that can be started: name the program `isolet`")
            return found
    scripts = sysconfig.get_path("scripts") or ""
    for candidate in (str(_BESIDE), os.path.join(scripts, "isolet"), "isolet"):
        found = shutil.which(candidate)
        if found is not None:
            return found
    raise HostError(
        "the program `isolet` is not there: this package has none for this platform, and there is none on the `PATH`: "
        "install it with `cargo install isolet-server`, or name it in the variable `ISOLET`"
    )
