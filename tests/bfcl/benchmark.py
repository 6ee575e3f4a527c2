"""BFCL's multi-turn entries, back ends, definitions and ground truth, as its package has them, made into what MCP and JSON can say.

Calls are read with `ast`; nothing here evaluates text.
"""

import ast
import copy
import functools
import importlib
import inspect
import json
import pathlib

import bfcl_eval
from bfcl_eval.constants.executable_backend_config import (
    CLASS_FILE_PATH_MAPPING,
    MULTI_TURN_FUNC_DOC_FILE_MAPPING,
    STATELESS_CLASSES,
)

CATEGORIES = ("base", "long_context", "miss_func", "miss_param")
DATA = pathlib.Path(bfcl_eval.__file__).parent / "data"
HERE = pathlib.Path(__file__).parent
# JSON Schema's words for BFCL's.
TYPES = {"dict": "object", "float": "number", "tuple": "array"}
# What is of JSON Schema's types here.
JSON_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
# Integers that a double holds exactly, as those of JavaScript.
SAFE_INTEGER_MAX = 2**53 - 1


@functools.cache
def entries(category: str) -> dict[str, dict]:
    """The entries of a category by their id, each with its `ground_truth`."""
    name = f"BFCL_v4_multi_turn_{category}.json"
    found = {entry["id"]: entry for entry in json_lines(DATA / name)}
    for answer in json_lines(DATA / "possible_answer" / name):
        found[answer["id"]]["ground_truth"] = answer["ground_truth"]
    return found


def entry(id: str) -> dict:
    """The entry `multi_turn_CATEGORY_NUMBER`."""
    return entries(category_of(id))[id]


def category_of(id: str) -> str:
    return id.removeprefix("multi_turn_").rsplit("_", 1)[0]


def json_lines(path: pathlib.Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


@functools.cache
def back_end_class(name: str) -> type:
    return getattr(importlib.import_module(CLASS_FILE_PATH_MAPPING[name]), name)


class BackEnds:
    """The back ends of one entry, in the state that it begins with."""

    def __init__(self, entry: dict):
        self.instances = {name: self._loaded(entry, name) for name in entry["involved_classes"]}

    @staticmethod
    def _loaded(entry: dict, name: str):
        instance = back_end_class(name)()
        if name not in STATELESS_CLASSES:
            config = copy.deepcopy(entry["initial_config"].get(name, {}))
            instance._load_scenario(config, long_context=category_of(entry["id"]) == "long_context")
        return instance

    def call(self, tool: str, arguments: dict):
        """Calls a public method of the back end that has it. What it raises is its failure."""
        return getattr(self.instances[class_of(tool, tuple(self.instances))], tool)(**arguments)

    def state(self) -> dict:
        """What BFCL's checker compares, the attributes that are not private, as JSON."""
        return {
            name: {key: plain(value) for key, value in vars(instance).items() if not key.startswith("_")}
            for name, instance in self.instances.items()
        }


def class_of(tool: str, classes: tuple[str, ...]) -> str:
    """The class among `classes` that has `tool`. No two classes of BFCL have a tool of the same name."""
    for name in classes:
        if not tool.startswith("_") and inspect.isfunction(getattr(back_end_class(name), tool, None)):
            return name
    raise KeyError(f"no back end of this entry has `{tool}`")


def plain(value):
    """`value` as JSON has it, with one spelling for each number, as in JavaScript: an integral float is an integer."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        is_integral = isinstance(value, float) and value.is_integer() and abs(value) <= SAFE_INTEGER_MAX
        return int(value) if is_integral else value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, set):
        return [plain(item) for item in sorted(value)]
    if value is ...:
        return "..."  # stands in the long watch list of the benchmark's own data
    if type(value).__module__.startswith("mpmath"):
        return plain(float(value))
    # Files and directories. A directory knows its parent, which would be a circle.
    public = {key: item for key, item in vars(value).items() if not key.startswith("_") and key != "parent"}
    return plain(public)


def calls_of(entry: dict) -> list[list[dict]]:
    """The ground truth, turn by turn, as `{"tool", "arguments"}` that JSON can say."""
    return [
        [{"tool": tool, "arguments": plain(arguments)} for tool, arguments in (parsed(text, entry) for text in turn)]
        for turn in entry["ground_truth"]
    ]


def end_of(entry: dict) -> dict:
    """The state in which the ground truth ends, made from its text without JSON between."""
    back_ends = BackEnds(entry)
    for turn in entry["ground_truth"]:
        for text in turn:
            back_ends.call(*parsed(text, entry))
    return back_ends.state()


def parsed(text: str, entry: dict) -> tuple[str, dict]:
    """The tool and the arguments of a call such as `mv('a', destination='b')`, the positional ones by the method's signature."""
    call = ast.parse(text, mode="eval").body
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise ValueError(f"`{text}` is no call of a tool")
    tool = call.func.id
    method = getattr(back_end_class(class_of(tool, tuple(entry["involved_classes"]))), tool)
    given = [ast.literal_eval(argument) for argument in call.args]
    named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    arguments = dict(inspect.signature(method).bind(None, *given, **named).arguments)
    del arguments["self"]
    return tool, arguments


def contradictions(entry: dict) -> list[str]:
    """Where the ground truth calls a tool with what the tool's own definition excludes. A host that validates arguments refuses such a call."""
    inputs = {tool["name"]: tool["inputSchema"] for tool in definitions(entry)}
    found = []
    for call in (call for turn in calls_of(entry) for call in turn):
        schema, arguments = inputs[call["tool"]], call["arguments"]
        absent = [name for name in schema.get("required", []) if name not in arguments]
        why = f"/{absent[0]}: absent" if absent else mismatch(arguments, schema)
        if why:
            found.append(f"{call['tool']}: {why}")
    return found


def text_of(call: dict) -> str:
    """A call as BFCL's checker reads it."""
    return f"{call['tool']}({', '.join(f'{name}={value!r}' for name, value in call['arguments'].items())})"


def definitions(entry: dict) -> list[dict]:
    """The tools of an entry's classes, as MCP lists them."""
    right = set(json.loads((HERE / "output_schemas.json").read_text(encoding="utf-8"))["right"])
    return [definition(doc, doc["name"] in right) for name in entry["involved_classes"] for doc in docs(name)]


@functools.cache
def docs(class_name: str) -> list[dict]:
    return json_lines(DATA / "multi_turn_func_doc" / MULTI_TURN_FUNC_DOC_FILE_MAPPING[class_name])


def definition(doc: dict, has_output: bool) -> dict:
    tool = {"name": doc["name"], "description": doc["description"], "inputSchema": schema(doc["parameters"])}
    if has_output:
        tool["outputSchema"] = schema(doc["response"])
    return tool


def schema(described: dict) -> dict:
    """BFCL's description of a value in the words of JSON Schema."""
    made = {key: value for key, value in described.items() if key not in ("type", "properties", "items")}
    if "type" in described:
        made["type"] = TYPES.get(described["type"], described["type"])
    if "properties" in described:
        made["properties"] = {name: schema(inner) for name, inner in described["properties"].items()}
    if isinstance(described.get("items"), dict):
        made["items"] = schema(described["items"])
    return made


def mismatch(value, schema: dict, where: str = "") -> str | None:
    """Where and how `value` is not of the types of `schema`. Members may be absent or more: BFCL's descriptions close nothing."""
    wanted = schema.get("type")
    is_wrong_bool = isinstance(value, bool) and wanted != "boolean"
    if wanted in JSON_TYPES and (is_wrong_bool or not isinstance(value, JSON_TYPES[wanted])):
        return f"{where or '/'}: {type(value).__name__} for {wanted}"
    inner = []
    if isinstance(value, dict):
        inner = [(value[name], part, name) for name, part in schema.get("properties", {}).items() if name in value]
    elif isinstance(value, list) and "items" in schema:
        inner = [(item, schema["items"], str(index)) for index, item in enumerate(value)]
    found = (mismatch(item, part, f"{where}/{name}") for item, part, name in inner)
    return next(filter(None, found), None)
