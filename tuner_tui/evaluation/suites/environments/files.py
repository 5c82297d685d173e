"""A tree of folders and text files. Nothing of the real file system is touched."""

from typing import Any

from tuner_tui.evaluation.suites.environments.base import (
    Environment,
    EnvironmentTool,
    Result,
    State,
    ToolFault,
    drop,
    parameters,
    put,
    text,
    tools,
)

_MISSING = object()


def _parts(path: str) -> tuple[str, ...]:
    parts = tuple(part for part in path.split("/") if part)
    if any(part in (".", "..") for part in parts):
        raise ToolFault("Give the whole path, without . and ..")
    return ("files", *parts)


def _at(state: State, path: str) -> Any:
    """A string for a file, a dict for a folder, `_MISSING` for nothing."""
    found: Any = state
    for part in _parts(path):
        if not isinstance(found, dict) or part not in found:
            return _MISSING
        found = found[part]
    return found


def _file(state: State, path: str) -> str:
    found = _at(state, path)
    if not isinstance(found, str):
        raise ToolFault(f"There is no file {path}.")
    return found


def _place(state: State, path: str) -> tuple[str, ...]:
    """The parts of a path whose folder exists."""
    parts = _parts(path)
    if len(parts) < 2 or not isinstance(_at(state, "/".join(parts[1:-1])), dict):
        raise ToolFault(f"The folder of {path} does not exist; make_folder makes it.")
    return parts


def _walk(tree: dict[str, Any], path: str = "") -> list[tuple[str, str]]:
    """(path, content) of all files."""
    found: list[tuple[str, str]] = []
    for name, child in tree.items():
        if isinstance(child, dict):
            found += _walk(child, f"{path}/{name}")
        else:
            found.append((f"{path}/{name}", child))
    return found


def list_folder(state: State, path: str) -> tuple[Result, State]:
    """Names in a folder; those of folders end in a slash."""
    found = _at(state, path)
    if not isinstance(found, dict):
        raise ToolFault(f"There is no folder {path}.")
    return {
        "names": [f"{name}/" if isinstance(child, dict) else name for name, child in found.items()]
    }, state


def find_files(state: State, name: str) -> tuple[Result, State]:
    """Paths of files with that in their name."""
    paths = [
        path for path, _ in _walk(state["files"]) if name.casefold() in path.rsplit("/", 1)[1].casefold()
    ]
    return {"paths": paths}, state


def search_text(state: State, words: str) -> tuple[Result, State]:
    """Lines with these words, in all files."""
    hits = [
        {"path": path, "line": line}
        for path, content in _walk(state["files"])
        for line in content.splitlines()
        if words.casefold() in line.casefold()
    ]
    return {"hits": hits}, state


def read_file(state: State, path: str) -> tuple[Result, State]:
    """The content of a file."""
    return {"path": path, "text": _file(state, path)}, state


def write_file(state: State, path: str, text: str) -> tuple[Result, State]:
    """A new file; what exists is not overwritten."""
    if _at(state, path) is not _MISSING:
        raise ToolFault(f"{path} exists already.")
    return {"written": path}, put(state, _place(state, path), text.rstrip("\n") + "\n")


def append_line(state: State, path: str, line: str) -> tuple[Result, State]:
    """One more line at the end of a file."""
    content = _file(state, path)
    return {"path": path, "line": line}, put(state, _parts(path), content + line.rstrip("\n") + "\n")


def make_folder(state: State, path: str) -> tuple[Result, State]:
    """A new folder in one that exists."""
    if _at(state, path) is not _MISSING:
        raise ToolFault(f"{path} exists already.")
    return {"made": path}, put(state, _place(state, path), {})


def move(state: State, path: str, to: str) -> tuple[Result, State]:
    """Another place or name; `to` is the whole new path."""
    found = _at(state, path)
    if found is _MISSING or len(_parts(path)) < 2:
        raise ToolFault(f"There is nothing at {path}.")
    if _at(state, to) is not _MISSING:
        raise ToolFault(f"{to} exists already; give the whole new path.")
    if _parts(to)[: len(_parts(path))] == _parts(path):
        raise ToolFault("A folder cannot go into itself.")
    place = _place(state, to)
    return {"moved": path, "to": to}, put(drop(state, _parts(path)), place, found)


def copy(state: State, path: str, to: str) -> tuple[Result, State]:
    """A second file with the same content."""
    content = _file(state, path)
    if _at(state, to) is not _MISSING:
        raise ToolFault(f"{to} exists already; give the whole new path.")
    return {"copied": path, "to": to}, put(state, _place(state, to), content)


def delete(state: State, path: str) -> tuple[Result, State]:
    """A file, or a folder that is empty."""
    found = _at(state, path)
    if found is _MISSING or len(_parts(path)) < 2:
        raise ToolFault(f"There is nothing at {path}.")
    if isinstance(found, dict) and found:
        raise ToolFault(f"The folder {path} is not empty.")
    return {"deleted": path}, drop(state, _parts(path))


_PATH = text("The whole path, such as /notes/today.txt")
_TO = text("The whole new path, with the name")

FILES = Environment(
    name="files",
    title="Files",
    instructions=(
        "You look after the files of the user. Paths start with a slash. Use the tools to find, read and "
        "change files; never guess what is in them. Delete only what the user asks to delete. When all is "
        "done, answer in words."
    ),
    tools=tools(
        EnvironmentTool("list_folder", "Names in a folder.", parameters({"path": _PATH}), list_folder),
        EnvironmentTool(
            "find_files",
            "Find files by a part of their name.",
            parameters({"name": text("A part of the name")}),
            find_files,
        ),
        EnvironmentTool(
            "search_text",
            "Find lines with these words in all files.",
            parameters({"words": text("The words")}),
            search_text,
        ),
        EnvironmentTool("read_file", "Read a file.", parameters({"path": _PATH}), read_file),
        EnvironmentTool(
            "write_file",
            "Write a new file.",
            parameters({"path": _PATH, "text": text("Its content")}),
            write_file,
        ),
        EnvironmentTool(
            "append_line",
            "Add a line at the end of a file.",
            parameters({"path": _PATH, "line": text("The line")}),
            append_line,
            ids=("path",),
        ),
        EnvironmentTool("make_folder", "Make a folder.", parameters({"path": _PATH}), make_folder),
        EnvironmentTool(
            "move", "Move or rename.", parameters({"path": _PATH, "to": _TO}), move, ids=("path",)
        ),
        EnvironmentTool("copy", "Copy a file.", parameters({"path": _PATH, "to": _TO}), copy, ids=("path",)),
        EnvironmentTool(
            "delete", "Delete a file or an empty folder.", parameters({"path": _PATH}), delete, ids=("path",)
        ),
    ),
    thing_depth=None,
)
