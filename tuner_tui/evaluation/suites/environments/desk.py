"""A support desk: tickets, customers, agents, articles, refunds."""

from typing import Any

from tuner_tui.evaluation.suites.environments.base import (
    Environment,
    EnvironmentTool,
    Result,
    State,
    ToolFault,
    new_id,
    number,
    parameters,
    put,
    text,
    tools,
)

_STATUSES = ("open", "waiting", "solved")


def _ticket(state: State, ticket: str) -> dict[str, Any]:
    found: dict[str, Any] | None = state["tickets"].get(ticket)
    if found is None:
        raise ToolFault(f"There is no ticket {ticket}.")
    return found


def find_tickets(state: State, status: str = "", customer: str = "", words: str = "") -> tuple[Result, State]:
    """Tickets by status, customer and words of the subject."""
    found = [
        {"ticket": id, "subject": one["subject"], "status": one["status"], "customer": one["customer"]}
        for id, one in state["tickets"].items()
        if status in ("", one["status"])
        and customer in ("", one["customer"])
        and words.casefold() in one["subject"].casefold()
    ]
    return {"tickets": found}, state


def read_ticket(state: State, ticket: str) -> tuple[Result, State]:
    """All that stands in a ticket."""
    return {"ticket": ticket, **_ticket(state, ticket)}, state


def create_ticket(
    state: State, customer: str, subject: str, priority: str = "normal"
) -> tuple[Result, State]:
    """A new ticket that nobody has yet."""
    if customer not in state["customers"]:
        raise ToolFault(f"There is no customer {customer}.")
    id = new_id("t", state["tickets"], customer)
    one = {
        "customer": customer,
        "subject": subject,
        "status": "open",
        "priority": priority,
        "agent": "",
        "tags": [],
        "replies": [],
    }
    return {"ticket": id, **one}, put(state, ("tickets", id), one)


def assign_ticket(state: State, ticket: str, agent: str) -> tuple[Result, State]:
    """An agent takes it, if present."""
    _ticket(state, ticket)
    if agent not in state["agents"]:
        raise ToolFault(f"There is no agent {agent}.")
    if state["agents"][agent]["away"]:
        raise ToolFault(f"{agent} is away; list_agents says who is there.")
    return {"ticket": ticket, "agent": agent}, put(state, ("tickets", ticket, "agent"), agent)


def set_priority(state: State, ticket: str, priority: str) -> tuple[Result, State]:
    """How soon it should be dealt with."""
    _ticket(state, ticket)
    return {"ticket": ticket, "priority": priority}, put(state, ("tickets", ticket, "priority"), priority)


def set_status(state: State, ticket: str, status: str) -> tuple[Result, State]:
    """Where it stands."""
    _ticket(state, ticket)
    return {"ticket": ticket, "status": status}, put(state, ("tickets", ticket, "status"), status)


def add_tag(state: State, ticket: str, tag: str) -> tuple[Result, State]:
    """One more tag; twice is once."""
    tags = sorted({*_ticket(state, ticket)["tags"], tag})
    return {"ticket": ticket, "tags": tags}, put(state, ("tickets", ticket, "tags"), tags)


def reply(state: State, ticket: str, message: str) -> tuple[Result, State]:
    """An answer to the customer."""
    replies = [*_ticket(state, ticket)["replies"], {"message": message}]
    return {"ticket": ticket, "sent": True}, put(state, ("tickets", ticket, "replies"), replies)


def find_customer(state: State, name: str) -> tuple[Result, State]:
    """Customers by a part of their name."""
    found = [
        {"customer": id, **one}
        for id, one in state["customers"].items()
        if name.casefold() in one["name"].casefold()
    ]
    return {"customers": found}, state


def list_agents(state: State, team: str = "") -> tuple[Result, State]:
    """Agents, and who is away."""
    found = [{"agent": name, **one} for name, one in state["agents"].items() if team in ("", one["team"])]
    return {"agents": found}, state


def search_articles(state: State, words: str) -> tuple[Result, State]:
    """Articles of the help pages that have all the words."""
    found = [
        {"article": id, **one}
        for id, one in state["articles"].items()
        if all(word in f"{one['title']} {one['text']}".casefold() for word in words.casefold().split())
    ]
    return {"articles": found}, state


def refund(state: State, ticket: str, amount: float) -> tuple[Result, State]:
    """Once for each ticket, 100 euros at most."""
    _ticket(state, ticket)
    if ticket in state["refunds"]:
        raise ToolFault(f"{ticket} was refunded already.")
    if amount > 100:
        raise ToolFault("Refunds above 100 euros need a manager; assign the ticket to the team managers.")
    return {"ticket": ticket, "refunded": amount}, put(state, ("refunds", ticket), amount)


_TICKET = text("Identifier of the ticket, such as t-000")
_PRIORITY = text("Priority", "low", "normal", "high", "urgent")

DESK = Environment(
    name="desk",
    title="Support desk",
    instructions=(
        "You help the agents of a support desk. Use the tools to look things up and to change tickets; never "
        "guess an identifier, and change nothing that nobody asked for. When everything is done, answer in "
        "words."
    ),
    tools=tools(
        EnvironmentTool(
            "find_tickets",
            "Find tickets by status, customer and words of the subject.",
            parameters(
                {
                    "status?": text("Only these", *_STATUSES),
                    "customer?": text("Identifier of a customer, such as c-00"),
                    "words?": text("A part of the subject"),
                }
            ),
            find_tickets,
            ids=("customer",),
        ),
        EnvironmentTool(
            "read_ticket", "Read a ticket.", parameters({"ticket": _TICKET}), read_ticket, ids=("ticket",)
        ),
        EnvironmentTool(
            "create_ticket",
            "Open a ticket for a customer.",
            parameters(
                {
                    "customer": text("Identifier of the customer, such as c-00"),
                    "subject": text("Subject"),
                    "priority?": _PRIORITY,
                }
            ),
            create_ticket,
            ids=("customer",),
        ),
        EnvironmentTool(
            "assign_ticket",
            "Give a ticket to an agent.",
            parameters({"ticket": _TICKET, "agent": text("First name of the agent")}),
            assign_ticket,
            ids=("ticket", "agent"),
        ),
        EnvironmentTool(
            "set_priority",
            "Change the priority of a ticket.",
            parameters({"ticket": _TICKET, "priority": _PRIORITY}),
            set_priority,
            ids=("ticket",),
        ),
        EnvironmentTool(
            "set_status",
            "Change the status of a ticket.",
            parameters({"ticket": _TICKET, "status": text("Status", *_STATUSES)}),
            set_status,
            ids=("ticket",),
        ),
        EnvironmentTool(
            "add_tag",
            "Tag a ticket.",
            parameters({"ticket": _TICKET, "tag": text("One word")}),
            add_tag,
            ids=("ticket",),
        ),
        EnvironmentTool(
            "reply",
            "Answer the customer of a ticket.",
            parameters({"ticket": _TICKET, "message": text("The answer")}),
            reply,
            ids=("ticket",),
        ),
        EnvironmentTool(
            "find_customer",
            "Find a customer.",
            parameters({"name": text("A part of the name")}),
            find_customer,
        ),
        EnvironmentTool(
            "list_agents",
            "Agents, their teams, and who is away.",
            parameters({"team?": text("Only this team", "billing", "technical", "managers")}),
            list_agents,
        ),
        EnvironmentTool(
            "search_articles",
            "Search the help pages.",
            parameters({"words": text("Words")}),
            search_articles,
        ),
        EnvironmentTool(
            "refund",
            "Refund money to the customer of a ticket.",
            parameters({"ticket": _TICKET, "amount": number("Euros", "number", 0.01)}),
            refund,
            ids=("ticket",),
        ),
    ),
    free=frozenset({"message"}),
    lenient=frozenset({"subject", "tags"}),
    unordered=frozenset({"replies", "tags"}),
)
