"""Annotations as JSON Schema, and arguments as the annotations say."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import unittest
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Optional, TypedDict, Union

from isolet import tool

try:
    import pydantic
except ImportError:
    pydantic = None  # type: ignore[assignment]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Item:
    name: str
    count: int = 1
    parts: list[Item] = dataclasses.field(default_factory=list)


class Filter(TypedDict, total=False):
    state: Literal["open", "closed"]
    labels: list[str]


def properties(function: Any) -> Any:
    return tool(function).input_schema["properties"]


class TestSchema(unittest.TestCase):
    def test_what_json_has(self) -> None:
        def function(a: str, b: int, c: float, d: bool, e: None, f: Any, g: list[int], h: dict[str, bool], i: Sequence[str]) -> None: ...

        self.assertEqual(
            properties(function),
            {
                "a": {"type": "string"},
                "b": {"type": "integer"},
                "c": {"type": "number"},
                "d": {"type": "boolean"},
                "e": {"type": "null"},
                "f": {},
                "g": {"type": "array", "items": {"type": "integer"}},
                "h": {"type": "object", "additionalProperties": {"type": "boolean"}},
                "i": {"type": "array", "items": {"type": "string"}},
            },
        )
        self.assertEqual(tool(function).output_schema, {"type": "null"})

    def test_choices_defaults_and_descriptions(self) -> None:
        def function(
            a: Literal["x", 1], b: Optional[int] = None, c: Union[int, str] = 7, d: Annotated[str, "what"] = "", e: Colour = Colour.RED
        ) -> Any:
            return a

        schema = tool(function).input_schema
        self.assertEqual(schema["required"], ["a"])
        self.assertEqual(schema["properties"]["a"], {"enum": ["x", 1]})
        self.assertEqual(schema["properties"]["b"], {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None})
        self.assertEqual(schema["properties"]["c"], {"anyOf": [{"type": "integer"}, {"type": "string"}], "default": 7})
        self.assertEqual(schema["properties"]["d"], {"type": "string", "description": "what", "default": ""})
        self.assertEqual(schema["properties"]["e"], {"enum": ["red", "blue"]})
        self.assertIsNone(tool(function).output_schema)

    def test_classes_are_named_once_and_may_hold_themselves(self) -> None:
        def function(item: Item, items: list[Item], filter: Filter) -> Item:
            return item

        schema = tool(function).input_schema
        self.assertEqual(schema["properties"]["items"], {"type": "array", "items": {"$ref": "#/$defs/Item"}})
        self.assertEqual(schema["$defs"]["Item"]["required"], ["name"])
        self.assertEqual(schema["$defs"]["Item"]["properties"]["parts"]["items"], {"$ref": "#/$defs/Item"})
        self.assertNotIn("required", schema["$defs"]["Filter"])

    def test_arguments_are_what_the_annotations_say(self) -> None:
        def function(
            item: Item, when: datetime.date, key: uuid.UUID, colour: Colour, ratio: float, pair: tuple[int, Item], names: set[str],
            maybe: Optional[Item] = None, more: Union[list[Item], None] = None,
        ) -> Any:
            return item, when, key, colour, ratio, pair, names, maybe, more

        key = uuid.uuid4()
        given = {
            "item": {"name": "a", "parts": [{"name": "b"}]}, "when": "2026-01-02", "key": str(key), "colour": "blue", "ratio": 1,
            "pair": [1, {"name": "c"}], "names": ["x"], "maybe": {"name": "d"}, "more": [{"name": "e"}],
        }
        expected = (
            Item("a", 1, [Item("b")]), datetime.date(2026, 1, 2), key, Colour.BLUE, 1.0, (1, Item("c")), {"x"}, Item("d"), [Item("e")],
        )
        self.assertEqual(tool(function).call(given), expected)

    def test_what_cannot_be_json_is_refused_with_its_name(self) -> None:
        def keys(a: dict[int, str]) -> None: ...
        def unknown(a: object, b: Lock) -> None: ...
        def positional(*a: int) -> None: ...

        cases: list[tuple[Any, str]] = [(keys, "keys are no strings"), (unknown, "Lock"), (positional, "no name for a caller")]
        for function, words in cases:
            with self.assertRaisesRegex(TypeError, words):
                tool(function)

    @unittest.skipIf(pydantic is None, "needs pydantic")
    def test_models_of_pydantic(self) -> None:
        class Node(pydantic.BaseModel):
            name: str
            size: int = pydantic.Field(default=1, ge=0)

        def function(nodes: list[Node], limit: Annotated[int, pydantic.Field(gt=0)]) -> Node:
            return nodes[0].model_copy(update={"size": limit})

        function.__annotations__ = {"nodes": list[Node], "limit": Annotated[int, pydantic.Field(gt=0)], "return": Node}
        made = tool(function)
        self.assertEqual(made.input_schema["properties"]["limit"], {"type": "integer", "exclusiveMinimum": 0})
        self.assertEqual(made.input_schema["properties"]["nodes"]["items"], {"$ref": "#/$defs/Node"})
        self.assertEqual(made.call({"nodes": [{"name": "a"}], "limit": 3}), Node(name="a", size=3))


class Lock:
    """No JSON."""




if __name__ == "__main__":
    unittest.main()
