"""A calendar with rooms and an address book."""

from typing import Any

from tuner_tui.evaluation.suites.environments.base import (
    Environment,
    EnvironmentTool,
    Result,
    State,
    ToolFault,
    date,
    drop,
    new_id,
    number,
    parameters,
    put,
    text,
    time,
    tools,
)


def _event(state: State, event: str) -> dict[str, Any]:
    found: dict[str, Any] | None = state["events"].get(event)
    if found is None:
        raise ToolFault(f"There is no event {event}.")
    return found


def _overlap(one: dict[str, Any], day: str, start: str, end: str) -> bool:
    return bool(one["date"] == day and one["start"] < end and start < one["end"])


def _taken(state: State, room: str, day: str, start: str, end: str, but: str = "") -> str | None:
    """The event that has the room at that time."""
    return next(
        (
            id
            for id, one in state["events"].items()
            if id != but and one["room"] == room and _overlap(one, day, start, end)
        ),
        None,
    )


def _check(state: State, room: str, day: str, start: str, end: str, but: str = "") -> None:
    if start >= end:
        raise ToolFault("The end must come after the start.")
    if room and room not in state["rooms"]:
        raise ToolFault(f"There is no room {room}.")
    if room and _taken(state, room, day, start, end, but):
        raise ToolFault(f"{room} is taken at that time; free_rooms says which are free.")


def find_events(state: State, date: str = "", title: str = "") -> tuple[Result, State]:
    """Events of a day, or with a word in the title."""
    found = [
        {"event": id, **one}
        for id, one in state["events"].items()
        if (not date or one["date"] == date) and title.casefold() in one["title"].casefold()
    ]
    return {"events": found}, state


def create_event(
    state: State, title: str, date: str, start: str, end: str, room: str = "", guests: list[str] | None = None
) -> tuple[Result, State]:
    """A new event, its id told by day and time."""
    _check(state, room, date, start, end)
    id = new_id("ev", state["events"], date, start)
    one = {
        "title": title,
        "date": date,
        "start": start,
        "end": end,
        "room": room,
        "guests": sorted(set(guests or [])),
    }
    return {"event": id, **one}, put(state, ("events", id), one)


def move_event(state: State, event: str, date: str, start: str, end: str) -> tuple[Result, State]:
    """Another day or time; room and guests stay."""
    one = _event(state, event)
    _check(state, one["room"], date, start, end, but=event)
    moved = {**one, "date": date, "start": start, "end": end}
    return {"event": event, **moved}, put(state, ("events", event), moved)


def change_room(state: State, event: str, room: str) -> tuple[Result, State]:
    """Another room at the same time."""
    one = _event(state, event)
    _check(state, room, one["date"], one["start"], one["end"], but=event)
    return {"event": event, "room": room}, put(state, ("events", event, "room"), room)


def cancel_event(state: State, event: str) -> tuple[Result, State]:
    """The event is gone."""
    _event(state, event)
    return {"cancelled": event}, drop(state, ("events", event))


def add_guest(state: State, event: str, email: str) -> tuple[Result, State]:
    """One more guest; twice is once."""
    guests = sorted({*_event(state, event)["guests"], email})
    return {"event": event, "guests": guests}, put(state, ("events", event, "guests"), guests)


def free_rooms(state: State, date: str, start: str, end: str, seats: int = 1) -> tuple[Result, State]:
    """Rooms with that many seats that nobody has."""
    free = [
        {"room": name, "seats": room["seats"]}
        for name, room in state["rooms"].items()
        if room["seats"] >= seats and not _taken(state, name, date, start, end)
    ]
    return {"rooms": free}, state


def find_person(state: State, name: str) -> tuple[Result, State]:
    """People by a part of their name."""
    found = [
        {"name": each, "email": email}
        for each, email in state["people"].items()
        if name.casefold() in each.casefold()
    ]
    return {"people": found}, state


_EVENT = text("Identifier of the event, as find_events gives it")
_SPAN = {"date": date("The day"), "start": time("Start"), "end": time("End")}

CALENDAR = Environment(
    name="calendar",
    title="Calendar",
    instructions=(
        "You keep the calendar of the user. Today is Monday, 2026-03-02. Use the tools to look things up and "
        "to change them; never guess an identifier or an address. When everything is done, answer in words."
    ),
    tools=tools(
        EnvironmentTool(
            "find_events",
            "Find events by day, by a part of the title, or both; without either, all.",
            parameters({"date?": date("The day"), "title?": text("A part of the title")}),
            find_events,
        ),
        EnvironmentTool(
            "create_event",
            "Create an event.",
            parameters(
                {
                    "title": text("Title"),
                    **_SPAN,
                    "room?": text("Name of a room"),
                    "guests?": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "Mail addresses of the guests",
                    },
                }
            ),
            create_event,
            ids=("guests",),
        ),
        EnvironmentTool(
            "move_event",
            "Move an event to another day or time; its room and guests stay.",
            parameters({"event": _EVENT, **_SPAN}),
            move_event,
            ids=("event",),
        ),
        EnvironmentTool(
            "change_room",
            "Put an event into another room.",
            parameters({"event": _EVENT, "room": text("Name of the room")}),
            change_room,
            ids=("event", "room"),
        ),
        EnvironmentTool(
            "cancel_event", "Cancel an event.", parameters({"event": _EVENT}), cancel_event, ids=("event",)
        ),
        EnvironmentTool(
            "add_guest",
            "Add a guest to an event.",
            parameters({"event": _EVENT, "email": text("Mail address")}),
            add_guest,
            ids=("event", "email"),
        ),
        EnvironmentTool(
            "free_rooms",
            "Rooms that are free for the whole of a time.",
            parameters({**_SPAN, "seats?": number("At least so many seats")}),
            free_rooms,
        ),
        EnvironmentTool(
            "find_person",
            "Look up a mail address in the address book.",
            parameters({"name": text("A part of the name")}),
            find_person,
        ),
    ),
    lenient=frozenset({"title"}),
)
