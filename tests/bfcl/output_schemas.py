"""Prints which of BFCL's `response` descriptions are right, for `output_schemas.json`.

Every call of the ground truth of all categories is made. A description is right if it describes an object and all results of that tool agree with it; what is
never called is not known to be.
"""

import json

import benchmark


def main():
    described = {doc["name"]: benchmark.schema(doc["response"]) for name in classes() for doc in benchmark.docs(name)}
    called, wrong = set(), {}
    for entry in (entry for category in benchmark.CATEGORIES for entry in benchmark.entries(category).values()):
        back_ends = benchmark.BackEnds(entry)
        for tool, arguments in (benchmark.parsed(text, entry) for turn in entry["ground_truth"] for text in turn):
            result = benchmark.plain(back_ends.call(tool, arguments))
            called.add(tool)
            why = "/: no object" if described[tool].get("type") != "object" else benchmark.mismatch(result, described[tool])
            if why:
                wrong.setdefault(tool, why)
    sorts = {"right": sorted(called - set(wrong)), "wrong": dict(sorted(wrong.items())), "never_called": sorted(set(described) - called)}
    print(json.dumps(sorts, indent=1))


def classes() -> list[str]:
    """All classes of the multi-turn categories."""
    entries = (entry for category in benchmark.CATEGORIES for entry in benchmark.entries(category).values())
    return sorted({name for entry in entries for name in entry["involved_classes"]})


if __name__ == "__main__":
    main()
