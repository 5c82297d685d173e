"""Tools from an OpenAPI 3 document: an operation is a tool, its parameters and JSON body are the arguments.

Source of the format: https://spec.openapis.org/oas/v3.0.3.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from tuner_tui.data.converters.errors import ConversionError, json_reason, kind_of

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_DEEPEST = 12  # levels of a schema: a reference to itself comes to an end
_LARGEST = 50_000  # parts of all schemas: references that double at each level come to an end


class _Document:
    """References of one document, followed within its bounds."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root, self._left = root, _LARGEST

    def followed(self, value: Any) -> Any:
        """What a `{"$ref": "#/a/b"}` of this document refers to ({} if nothing); any other value itself."""
        for _ in range(_DEEPEST):
            reference = value.get("$ref") if isinstance(value, Mapping) else None
            if not isinstance(reference, str):
                return value
            value = self._root
            for part in reference.removeprefix("#/").split("/"):
                value = value.get(part) if isinstance(value, Mapping) else None
            value = {} if value is None else value
        return {}

    def inline(self, value: Any, depth: int = 0) -> Any:
        """A schema with its references replaced by what they refer to."""
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            return {}
        value = self.followed(value)
        if isinstance(value, Mapping):
            return {key: self.inline(one, depth + 1) for key, one in value.items()}
        if isinstance(value, list):
            return [self.inline(one, depth + 1) for one in value]
        return value


def tools_of_document(
    document: Any, field: str, names: Any = None, texts: Any = None
) -> list[dict[str, Any]]:
    """The tools of a document given as JSON text, or as the object.

    Args:
        document: the document.
        field: where it stands, for messages.
        names: tool name to [path, method]; without it an operation's `operationId` is the name.
        texts: tool name to its description, which goes before that of the operation.

    Raises:
        ConversionError: it is not JSON, or no OpenAPI document.
    """
    if isinstance(document, str):
        try:
            document = orjson.loads(document)
        except orjson.JSONDecodeError as error:
            raise ConversionError("invalid_tool", field, f"the document is {json_reason(error)}") from None
    paths = document.get("paths") if isinstance(document, Mapping) else None
    if not isinstance(paths, Mapping):
        reason = f"{kind_of(document)} where an OpenAPI document with `paths` should be"
        raise ConversionError("invalid_tool", field, reason)
    wanted = _places(names)
    described = texts if isinstance(texts, Mapping) else {}
    references = _Document(document)
    return [
        _tool(name, operation, shared, described.get(name), references)
        for place, operation, shared in _operations(paths)
        if (name := wanted.get(place) or operation.get("operationId")) and isinstance(name, str)
    ]


def _places(names: Any) -> dict[tuple[str, str], str]:
    if not isinstance(names, Mapping):
        return {}
    return {
        (str(place[0]), str(place[1])): name
        for name, place in names.items()
        if isinstance(place, list) and len(place) == 2
    }


def _operations(paths: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Mapping[str, Any], Any]]:
    """Each operation with its place (path, method), and the parameters that all of its path share."""
    for path, item in paths.items():
        if isinstance(item, Mapping):
            for method, operation in item.items():
                if method in _METHODS and isinstance(operation, Mapping):
                    yield (path, method), operation, item.get("parameters")


def _tool(
    name: str, operation: Mapping[str, Any], shared: Any, text: Any, document: _Document
) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    for parameter in [*_list(shared), *_list(operation.get("parameters"))]:
        parameter = document.followed(parameter)
        if not isinstance(parameter, Mapping) or not isinstance(parameter.get("name"), str):
            continue
        schema = document.inline(parameter.get("schema", {}))
        described = {"description": parameter["description"]} if parameter.get("description") else {}
        properties[parameter["name"]] = {**schema, **described} if isinstance(schema, dict) else described
        if parameter.get("required") is True:
            required.append(parameter["name"])
    body = _body(operation, document)
    properties.update(body.get("properties", {}))
    required.extend(one for one in body.get("required", ()) if one not in required)
    description = text if isinstance(text, str) else operation.get("description") or operation.get("summary")
    return {
        "name": name,
        "description": description if isinstance(description, str) else "",
        "parameters": {"type": "object", "properties": properties, "required": required},
    }


def _body(operation: Mapping[str, Any], document: _Document) -> dict[str, Any]:
    """The schema of the JSON body, if it is one of an object; a body of another kind is one argument."""
    body = document.followed(operation.get("requestBody"))
    content = body.get("content") if isinstance(body, Mapping) else None
    media = next(iter(content.values()), None) if isinstance(content, Mapping) else None
    schema = document.inline(media.get("schema")) if isinstance(media, Mapping) else None
    if not isinstance(schema, dict) or not schema:
        return {}
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {"properties": {"body": schema}}
    required = schema.get("required")
    return {"properties": properties, "required": required if isinstance(required, list) else []}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
