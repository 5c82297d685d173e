"""One small record of each published benchmark's layout, in the style of its files."""

import json
from typing import Any

FINISH = {
    "name": "Finish",
    "description": "Give the final answer, or give up.",
    "parameters": {
        "type": "object",
        "properties": {
            "return_type": {"type": "string", "enum": ["give_answer", "give_up_and_restart"]},
            "final_answer": {"type": "string"},
        },
        "required": ["return_type"],
    },
}
LOOKUP = {
    "name": "agency_for_customs",
    "description": "Look an agency up.",
    "parameters": {
        "type": "object",
        "properties": {"is_id": {"type": "string", "description": "", "example_value": "A"}},
        "required": ["is_id"],
        "optional": [],
    },
}


def toolbench(*turns: dict[str, Any]) -> dict[str, Any]:
    """An answer file whose path is these turns, after a system and a user message."""
    path = [
        {"role": "system", "content": "You are AutoGPT."},
        {"role": "user", "content": "\nFind agency A.\nBegin!\n"},
        *turns,
    ]
    search = {"valid_data": True, "query": "Find agency A.", "function": [LOOKUP, FINISH]}
    return {"win": True, "tree": {}, "answer_generation": {**search, "train_messages": [path[:3], path]}}


def finish(**arguments: str) -> dict[str, Any]:
    call = {"name": "Finish", "arguments": json.dumps(arguments)}
    return {"role": "assistant", "content": None, "function_call": call}


LOOKUP_CALL = {
    "role": "assistant",
    "content": None,
    "function_call": {"name": "agency_for_customs", "arguments": '{\n  "is_id": "A"\n}'},
}
LOOKUP_RESULT = {
    "role": "function",
    "name": "agency_for_customs",
    "content": '{"error": "", "response": "ACT"}',
}
TOOLBENCH_QUERY = {
    "api_list": [{"tool_name": "SQUAKE", "api_name": "Projects", "required_parameters": []}],
    "query": "List the projects.",
    "relevant APIs": [["SQUAKE", "Projects"]],
    "query_id": 1,
}

OPENAPI = {
    "openapi": "3.0.0",
    "info": {"title": "Axolotl", "version": "1.0.0"},
    "paths": {
        "/search/{page}": {
            "parameters": [{"name": "page", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "get": {
                "operationId": "searchImages",
                "description": "Search for images.",
                "parameters": [
                    {
                        "name": "color",
                        "in": "query",
                        "description": "Its color.",
                        "required": False,
                        "schema": {"type": "string", "enum": ["wild", "albino"]},
                    }
                ],
            },
        },
        "/images": {
            "post": {
                "operationId": "addImage",
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Image"}}}
                },
            }
        },
    },
    "components": {
        "schemas": {
            "Image": {
                "type": "object",
                "properties": {"url": {"type": "string"}, "of": {"$ref": "#/components/schemas/Animal"}},
                "required": ["url"],
            },
            "Animal": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "parent": {"$ref": "#/components/schemas/Animal"},
                },
            },
        }
    },
}
TOOLALPACA = {
    "Name": "Axolotl",
    "Documentation": json.dumps(OPENAPI),
    "Function_Description": {"searchImages": "Search for axolotl images.", "components": ""},
    "Function_Projection": {"searchImages": ["/search/{page}", "get"], "addImage": ["/images", "post"]},
    "Instructions": ["Show me a wild one.", "Add the picture that you find.", "Which picture?"],
    "Golden_Answers": [
        [
            {"Action": "searchImages", "Action_Input": '{"color": "wild", "page": 1}'},
            {"Action": "[Optional]addImage", "Action_Input": '{"url": "a.png"}'},
        ],
        [{"Action": "addImage", "Action_Input": '{"url": ${url from searchImages}}'}],
        [{"Action": "getDetails", "Action_Input": '{"Question": "Which color?"}'}],
    ],
}
TOOLALPACA_TRAINING = {
    **{key: value for key, value in TOOLALPACA.items() if key != "Golden_Answers"},
    "Instructions": ["Show me a wild one.", "And now?"],
    "Instances": [
        {
            "input": "Show me a wild one.\nHint: use searchImages",
            "output": "Here it is: a.png",
            "Final Thought": "I can respond now.",
            "intermediate_steps": [
                [
                    [
                        "searchImages",
                        '{"color": "wild", "page": 1}',
                        ' I need an image.\nAction: searchImages\nAction Input: {"color": "wild", "page": 1}',
                    ],
                    'Status Code: 200. Response: {"url": "a.png"}',
                ]
            ],
        },
        {"error": "the model did not answer"},
    ],
}

API_BANK: list[dict[str, Any]] = [
    {"role": "User", "text": "Set an alarm for 8 am."},
    {"role": "AI", "text": "I'm setting the alarm."},
    {
        "role": "API",
        "api_name": "AddAlarm",
        "param_dict": {"token": "z9", "time": "2021-10-14 08:00:00"},
        "result": {"api_name": "AddAlarm", "input": {}, "output": "success", "exception": None},
    },
    {
        "role": "API",
        "api_name": "AddMeeting",
        "param_dict": {"recipients": ["Ann"]},
        "result": {"input": {}, "output": None, "exception": "no such person"},
    },
    {"role": "AI", "text": "The alarm is set."},
]
API_BANK_TABLE = """id,类型,应用场景,API名称,参数,路径,类名,input_parameters,expressions,api_info
19,x,x,x,x,x,AddAlarm,"(token: str, time: datetime)",x,"description = ""Sets an alarm.""
input_parameters = {
    'token': {'type': 'str', 'description': 'Who asks.'},
    'time': {'type': 'datetime', 'description': 'When.'}
}
output_parameters = {
    'status': {'type': 'str', 'description': 'success or failed'}
}"
10,x,x,x,x,x,AddMeeting,"(recipients: List[str])",x,.
24,x,x,x,x,x,GetToday,None,GetTodayNone,"description = ""Today.""
input_parameters = {
    None
}"
"""

SEAL_TOOLS = {
    "id": "dev-difficult-1",
    "query": "Find a nurse, then call her.",
    "calling": [
        {"api": "findNurse", "parameters": {"ward": 3}, "responses": ["API_call_0", "API_call_1"]},
        {"api": "callPerson", "parameters": {"who": "API_call_0"}, "responses": ["API_call_2"]},
    ],
}
SEAL_TOOLS_TOOLS: list[dict[str, Any]] = [
    {
        "api_name": "findNurse",
        "api_description": "Find a nurse of a ward.",
        "field": "Nursing",
        "parameters": {"ward": {"type": "int", "description": "The ward."}},
        "required": ["ward"],
        "responses": {"name": {"type": "str", "description": "Her name."}},
    },
    {
        "api_name": "callPerson",
        "api_description": "Call somebody.",
        "parameters": {"who": {"type": "str", "description": "Whom."}, "loud": {"type": "bool"}},
        "required": ["who"],
        "responses": {},
    },
    {"api_name": "unused", "api_description": "", "parameters": {}, "required": [], "responses": {}},
]
SEAL_TOOLS_TEXT = {
    "id": "dev-difficult-1",
    "conversations": [
        {
            "from": "human",
            "value": "Please chooose the needed apis and return api_calling list.\n\nInput:\n"
            f'api_list = {SEAL_TOOLS_TOOLS!r}\ntask_instruction = "{SEAL_TOOLS["query"]}"\nOutput:\n',
        },
        {"from": "gpt", "value": repr(SEAL_TOOLS["calling"])},
    ],
}

TOOLTALK: dict[str, Any] = {
    "name": "AddAlarm-easy",
    "apis_used": ["AddAlarm", "FindAlarms"],
    "user": {"username": "justin"},
    "metadata": {"location": "New York", "timestamp": "2023-09-11 13:00:00", "session_token": "98a5"},
    "conversation": [
        {"index": 0, "role": "user", "text": "Wake me at 6:30, and which alarms have I?"},
        {
            "index": 1,
            "role": "assistant",
            "text": "Done; I could not list them.",
            "apis": [
                {
                    "request": {"api_name": "AddAlarm", "parameters": {"time": "18:30:00"}},
                    "response": {"alarm_id": "5b"},
                    "exception": None,
                },
                {
                    "request": {"api_name": "FindAlarms", "parameters": {}},
                    "response": None,
                    "exception": "no session",
                },
            ],
        },
        {"index": 2, "role": "user", "text": "Thanks."},
    ],
}


def apibench(code: str) -> dict[str, Any]:
    return {
        "code": code,
        "api_call": "torch.hub.load(repo_or_dir='pytorch/vision', model='vgg13', pretrained=True)",
        "provider": "PyTorch",
        "api_data": {"domain": "Classification", "api_name": "vgg13", "api_arguments": {}},
    }


DICT_ANSWER = "{'domain': 'Vision', 'api_call': 'model = torch.hub.load('pytorch/vision', 'vgg13')'}"
MARKED_ANSWER = "<<<domain>>>: Vision, <<<api_call>>>: hub.load('u')\n<<<code>>>: import tensorflow"
APIBENCH_LIST_ROW = {
    "domain": "Vision",
    "framework": "PyTorch",
    "api_name": "vgg13",
    "api_call": "torch.hub.load()",
}

BFCL: dict[str, Any] = {
    "id": "simple_python_0",
    "question": [[{"role": "user", "content": "The area of a triangle of base 10 and height 5?"}]],
    "function": [
        {
            "name": "math.area",
            "description": "Area of a triangle.",
            "parameters": {
                "type": "dict",
                "properties": {
                    "base": {"type": "integer"},
                    "height": {"type": "float"},
                    "unit": {"type": "string"},
                    "label": {"type": "string"},
                    "options": {"type": "dict", "properties": {"round": {"type": "integer"}}},
                    "points": {"type": "array", "items": {"type": "dict", "properties": {}}},
                    "mark": {"type": "string"},
                },
                "required": ["base", "height", "label"],
            },
        }
    ],
}
BFCL_ANSWER: dict[str, Any] = {
    "id": "simple_python_0",
    "ground_truth": [
        {
            "math.area": {
                "base": [10, 11],
                "height": [5.0],
                "unit": ["", "units"],
                "label": [""],
                "options": [{"round": [2, 3], "other": [""]}],
                "points": [[{"x": [1], "y": [2]}]],
                "mark": ["", None],
            }
        }
    ],
}
BFCL_MULTI_TURN: dict[str, Any] = {
    "id": "multi_turn_base_0",
    "question": [
        [{"role": "user", "content": "Sort a.txt."}],
        [{"role": "user", "content": "Then delete it."}],
        [],
    ],
    "involved_classes": ["GorillaFileSystem"],
    "excluded_function": ["cp"],
}
BFCL_MULTI_TURN_ANSWER = {
    "id": "multi_turn_base_0",
    "ground_truth": [["cd(folder='docs')", "sort('a.txt', reverse=True)"], [], ["rm(file_name='a.txt')"]],
}


def _bfcl_tool(name: str, **types: str) -> dict[str, Any]:
    properties = {key: {"type": kind} for key, kind in types.items()}
    return {"name": name, "parameters": {"type": "dict", "properties": properties, "required": []}}


BFCL_CLASS = [
    _bfcl_tool("cd", folder="string"),
    _bfcl_tool("sort", file_name="string", reverse="boolean"),
    _bfcl_tool("rm", file_name="string"),
    _bfcl_tool("cp", source="string"),
]
