"""BFCL's simulated services in a process of their own: calls go in as data, results come out as text.

The official executor runs a model's text with `eval`. Here a call is a name and JSON arguments; the name has
to be a public method of one of the item's services, and nothing else can be reached. The process has limits
on memory, files, and the time of each request, after which the system ends it (SIGALRM): whatever a model
asks for, its evaluation goes on.

    python -m tuner_tui.evaluation.suites.bfcl.backend      requests and replies are JSON lines

Source: bfcl_eval/eval_checker/multi_turn_eval (multi_turn_utils.py, multi_turn_checker.py).
"""

import ast
import contextlib
import copy
import importlib
import inspect
import io
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

SECONDS = 10.0
"""For one request; the slowest right one takes some hundredths of a second."""
_MEMORY = 2 * 1024**3
_LONGEST_RESULT = 1_000_000
"""Characters of one result that are kept."""

Call = tuple[str, list[Any], dict[str, Any]]
"""A method's name, its arguments by place, and by name."""


class Services:
    """The services of one item, in the state that it begins with."""

    def __init__(self, classes: Sequence[str], config: Mapping[str, Any], long_context: bool) -> None:
        from tuner_tui.evaluation.suites.bfcl import official

        places = official.load("constants.executable_backend_config")
        self.instances: dict[str, Any] = {}
        self._methods: dict[str, Callable[..., Any]] = {}
        for name in classes:
            module = importlib.import_module(places.CLASS_FILE_PATH_MAPPING[name])
            instance = getattr(module, name)()
            if name not in places.STATELESS_CLASSES:
                instance._load_scenario(copy.deepcopy(config.get(name, {})), long_context=long_context)
            self.instances[name] = instance
            for method, bound in inspect.getmembers(instance, predicate=inspect.ismethod):
                if not method.startswith("_"):
                    self._methods[method] = bound

    def call(self, call: Call) -> str:
        """The result as the official executor writes it; a failure is a result too. Raises nothing."""
        name, by_place, by_name = call
        method = self._methods.get(name)
        if method is None:
            return f"Error during execution: name '{name}' is not defined"
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                result = method(*by_place, **by_name)
            if isinstance(result, str):
                return result[:_LONGEST_RESULT]
            if isinstance(result, dict):
                with contextlib.suppress(Exception):
                    return json.dumps(result)[:_LONGEST_RESULT]
            return str(result)[:_LONGEST_RESULT]
        except Exception as error:  # services meet whatever a model asked for
            return f"Error during execution: {error}"[:_LONGEST_RESULT]


class World:
    """One item under way: the services that the model works on, and those of the right calls."""

    def __init__(self, classes: Sequence[str], config: Mapping[str, Any], long_context: bool) -> None:
        self._model = Services(classes, config, long_context)
        self._gold = Services(classes, config, long_context)
        self._results: list[str] = []

    def calls(self, calls: Sequence[Call]) -> list[str]:
        """Make the model's calls."""
        results = [self._model.call(call) for call in calls]
        self._results += results
        return results

    def end_turn(self, gold: Sequence[str]) -> dict[str, bool]:
        """Make the right calls of a turn, and compare: the public attributes of every service, and whether
        all results that the right calls give were among the model's so far (`_is_subsequence_unordered`)."""
        wanted = [self._gold.call(read_call(text)) for text in gold]
        rest = list(self._results)
        complete = True
        for result in wanted:
            if result in rest:
                rest.remove(result)
            else:
                complete = False
        return {"state": self._same_state(), "results": complete}

    def _same_state(self) -> bool:
        return all(
            getattr(self._model.instances[name], attribute) == value
            for name, instance in self._gold.instances.items()
            for attribute, value in vars(instance).items()
            if not attribute.startswith("_")
        )


def read_call(text: str) -> Call:
    """A call such as `sort('a.txt', reverse=True)` from the official answers; its arguments are literals.

    Raises:
        ValueError: it is anything else.
    """
    tree = ast.parse(text.strip(), mode="eval").body
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise ValueError(f"no call of one function: {text[:80]}")
    by_name = {str(each.arg): ast.literal_eval(each.value) for each in tree.keywords}
    return tree.func.id, [ast.literal_eval(each) for each in tree.args], by_name


def _serve(request: Mapping[str, Any], worlds: dict[int, World]) -> Any:
    key = request["key"]
    if request["do"] == "begin":
        worlds[key] = World(request["classes"], request["config"], request["long_context"])
        return None
    if request["do"] == "calls":
        return worlds[key].calls([(name, [], arguments) for name, arguments in request["calls"]])
    if request["do"] == "end_turn":
        return worlds[key].end_turn(request["gold"])
    worlds.pop(key, None)
    return None


def _limit(kind: int, value: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # a limit that is lower already
        resource.setrlimit(kind, (value, value))


def main() -> None:
    """Answer requests until there are no more."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a service prints is no reply
    from tuner_tui.evaluation.suites.bfcl import official

    official.load("constants.executable_backend_config")
    importlib.import_module("bfcl_eval.eval_checker.multi_turn_eval.func_source_code.long_context")
    for kind, value in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _limit(kind, value)
    worlds: dict[int, World] = {}
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            reply = {"reply": _serve(json.loads(line), worlds)}
        except Exception as error:  # a World that cannot be made or compared, such as endless recursion
            reply = {"failed": f"{type(error).__name__}: {error}"[:1000]}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
