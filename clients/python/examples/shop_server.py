"""A FastMCP server whose tools are called by programs, which run in Isolet: `python3 shop_server.py` serves standard input and output."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastmcp import FastMCP
from fastmcp.experimental.transforms.code_mode import CodeMode

from isolet import Runtime
from isolet.adapters.fastmcp import EXECUTE_DESCRIPTION, IsoletSandbox

PRICES = {"tea": 4.5, "milk": 1.25}

runtime = Runtime()


@asynccontextmanager
async def running(_: FastMCP) -> AsyncIterator[None]:
    """The runtime lives as long as the server."""
    async with runtime:
        yield


code_mode = CodeMode(sandbox_provider=IsoletSandbox(runtime), execute_description=EXECUTE_DESCRIPTION)
server = FastMCP("shop", lifespan=running, transforms=[code_mode])


@server.tool
def price(article: str, count: int = 1) -> float:
    """The price of so many of an article, in euros."""
    return PRICES[article] * count


if __name__ == "__main__":
    server.run()
