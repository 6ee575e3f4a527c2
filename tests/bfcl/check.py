"""Judges what became of scenarios, with BFCL's own checker. Exit code 1 if one is not valid.

Reads JSON lines `{"id", "record": FOLDER, "turns": [calls of each turn]}`, where `FOLDER` is what `server.py --record` wrote, and prints for each
`{"id", "valid", "why"}`. Two things have to hold:

* the calls that arrived are, turn by turn, right for `multi_turn_checker`, which makes them and the ground truth on back ends of its own and compares
  states and responses;
* the state in which the served back ends ended is the one that the ground truth leads to.
"""

import itertools
import json
import pathlib
import sys

from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker import multi_turn_checker

import benchmark

# BFCL keeps its back ends in a global by model and entry: each check is a model of its own.
MODELS = map("isolet{}".format, itertools.count())


def why_not(id: str, record: pathlib.Path, turns: list[int]) -> str | None:
    """What is wrong, or none."""
    entry = benchmark.entry(id)
    arrived = benchmark.json_lines(record / "calls.jsonl")
    if len(arrived) != sum(turns):
        return f"{len(arrived)} calls arrived, {sum(turns)} were made"
    texts = iter([benchmark.text_of(call) for call in arrived])
    by_turn = [[list(itertools.islice(texts, count))] if count else [] for count in turns]
    truth = [[benchmark.text_of(call) for call in turn] for turn in benchmark.calls_of(entry)]
    verdict = multi_turn_checker(by_turn, truth, entry, id, next(MODELS))
    if not verdict["valid"]:
        return f"{verdict['error_type']}: {verdict['error_message']}"
    state = json.loads((record / "state.json").read_text(encoding="utf-8"))
    different = [name for name, expected in json.loads(json.dumps(benchmark.end_of(entry))).items() if state[name] != expected]
    return f"the served state differs: {', '.join(different)}" if different else None


def main():
    all_valid = True
    for line in sys.stdin:
        made = json.loads(line)
        why = why_not(made["id"], pathlib.Path(made["record"]), made["turns"])
        all_valid &= why is None
        print(json.dumps({"id": made["id"], "valid": why is None, "why": why}), flush=True)
    sys.exit(not all_valid)


if __name__ == "__main__":
    main()
