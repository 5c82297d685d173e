"""The path of the official command line, `bfcl evaluate`, without the clients of vendors that it imports."""

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

import orjson

from tuner_tui.evaluation.suites.bfcl import official
from tuner_tui.evaluation.suites.bfcl.categories import SINGLE_TURN, Kind

_UNUSED = {
    # Third-party imports that nothing on this path calls.
    "dotenv": ("load_dotenv",),
    "tqdm": ("tqdm",),
    "numpy": (),
    "pandas": (),
    "tenacity": ("retry", "retry_if_exception_message", "retry_if_exception_type", "wait_random_exponential"),
    "overrides": ("override", "final", "EnforceOverrides"),
    "bfcl_eval.model_handler.base_handler": ("BaseHandler",),
    "bfcl_eval.model_handler.local_inference.base_oss_handler": ("OSSHandler",),
}
if importlib.util.find_spec("tree_sitter") is None:
    _UNUSED |= {
        "bfcl_eval.model_handler.parser.java_parser": ("parse_java_function_call",),
        "bfcl_eval.model_handler.parser.js_parser": ("parse_javascript_function_call",),
    }


def load(name: str) -> Any:
    """A module of bfcl_eval whose imports of clients are replaced while it is loaded."""
    before = {each: sys.modules.get(each) for each in _UNUSED}
    for each, names in _UNUSED.items():
        module = types.ModuleType(each)
        for attribute in names:
            setattr(module, attribute, type(attribute, (), {"__new__": lambda cls, function=None: function}))
        sys.modules[each] = module
    try:
        return official.load(name)
    finally:
        for each, module in before.items():
            if module is None:
                del sys.modules[each]
            else:
                sys.modules[each] = module


def qwen_handler() -> Any:
    """The handler that reads answers in Qwen's and Hermes' format, only to decode."""
    handler = load("model_handler.local_inference.qwen_fc").QwenFCHandler
    return types.SimpleNamespace(
        decode_ast=lambda text, language, has_tool_call_tag: handler.decode_ast(
            types.SimpleNamespace(_extract_tool_calls=handler._extract_tool_calls),
            text,
            language,
            has_tool_call_tag,
        )
    )


def prompting_handler() -> Any:
    """The handler that reads answers in the notation of BFCL's prompting mode, only to decode."""
    return types.SimpleNamespace(decode_ast=load("model_handler.utils").default_decode_ast_prompting)


def wrong_items(
    category: str, results: dict[str, str], folder: Path, handler: Any = None, model: str = "tested"
) -> dict[str, str]:
    """Id -> error type of the items that the official runner fails, of all items of a category."""
    runner = load("eval_checker.eval_runner")
    entries = load("utils").load_dataset_entry(
        category, include_prereq=False, include_language_specific_hint=False
    )
    handler = handler or qwen_handler()
    answers = [{"id": entry["id"], "result": results[entry["id"]]} for entry in entries]
    if SINGLE_TURN[category][1] is Kind.CALL:
        truth = load("utils").load_ground_truth_entry(category)
        counted = runner.ast_file_runner(handler, answers, entries, truth, category, model, folder)
    else:
        counted = runner.relevance_file_runner(handler, answers, entries, model, category, folder)
    [path] = folder.rglob(f"*_{category}_score.json")
    head, *lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert counted == (head["accuracy"], len(entries))
    return {line["id"]: line["error_type"] for line in lines}
