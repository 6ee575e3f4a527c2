"""Prints scenarios as JSON lines: a server to start, and turn by turn the same calls twice, as classic calls and as a program.

`scenarios.py [--category base] [--sample 40]`. The members of a line are in README.md.
"""

import argparse
import json
import sys

import benchmark

# The name under which the server stands in a configuration, and so the namespace of the programs.
SERVER = "bfcl"


def scenario(entry: dict) -> dict:
    turns = benchmark.calls_of(entry)
    return {
        "id": entry["id"],
        "classes": entry["involved_classes"],
        "tools": len(benchmark.definitions(entry)),
        "server": {"name": SERVER, "command": sys.executable, "args": [str(benchmark.HERE / "server.py"), entry["id"], "--record"]},
        "turns": [
            {"user": said(question), "calls": calls, "program": program(calls)}
            for question, calls in zip(entry["question"], turns, strict=True)
        ],
        "contradictions": benchmark.contradictions(entry),
        "end": benchmark.end_of(entry),
    }


def said(messages: list[dict]) -> str:
    """What the user says in a turn. It is empty where the benchmark adds a function instead."""
    return "\n".join(message["content"] for message in messages)


def program(calls: list[dict]) -> str:
    """The calls of a turn one after the other, as a model would write them that knows what it wants."""
    lines = [f"results.push(await {SERVER}.{call['tool']}({json.dumps(call['arguments'], ensure_ascii=False)}));\n" for call in calls]
    return "const results: unknown[] = [];\n" + "".join(lines) + "return results;\n"


def chosen(category: str, sample: int | None) -> list[dict]:
    """All entries of a category, or `sample` of them at equal distances, so that all classes are among them."""
    found = list(benchmark.entries(category).values())
    count = min(sample or len(found), len(found))
    return [found[index * len(found) // count] for index in range(count)]


def arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--category", choices=benchmark.CATEGORIES, default="base")
    parser.add_argument("--sample", type=int, help="this many at equal distances; default: all")
    return parser


def main():
    options = arguments(__doc__).parse_args()
    for entry in chosen(options.category, options.sample):
        print(json.dumps(scenario(entry)))


if __name__ == "__main__":
    main()
