"""Turns that need no tool: greetings, facts, small skills, copying. They keep a model from calling always."""

import json
from collections.abc import Callable
from random import Random

from tuner_tui.embedded.words import (
    FIRST_NAMES,
    NOUNS,
    PLAIN_WORDS,
    draw,
    made_up_word,
    pick,
    word,
)

GREETINGS = [
    ("Hello!", "Hello! How can I help?"), ("Hi.", "Hi! What can I do for you?"),
    ("Good morning.", "Good morning! How can I help?"), ("Good evening!", "Good evening!"),
    ("How are you?", "I am well, thank you. How can I help?"), ("Thanks!", "You are welcome."),
    ("Thank you.", "You are welcome."), ("Goodbye.", "Goodbye!"), ("See you tomorrow.", "See you!"),
    ("Who are you?", "I am a small language model."), ("What are you?", "I am a small language model."),
    ("Can you help me?", "Yes. What do you need?"), ("Are you there?", "Yes, I am here."),
    ("That is all.", "Good. Goodbye!"), ("Very good.", "I am glad to hear it."),
    ("I am tired.", "Then you should rest."), ("I am happy today.", "I am glad to hear it."),
    ("Tell me something.", "Words are made of letters."), ("Nice weather today.", "I hope it stays so."),
    ("Do you like music?", "I only know words, but many people like music."),
    ("Are you a person?", "No, I am a small language model."), ("What do you like?", "I like words."),
]  # fmt: skip

CAPITALS = {
    "Norway": "Oslo", "Peru": "Lima", "Egypt": "Cairo", "Ecuador": "Quito", "France": "Paris",
    "Italy": "Rome", "Germany": "Berlin", "Spain": "Madrid", "Japan": "Tokyo", "Ireland": "Dublin",
    "Portugal": "Lisbon", "Austria": "Vienna", "Greece": "Athens", "Kenya": "Nairobi",
    "Ghana": "Accra", "Vietnam": "Hanoi", "Iceland": "Reykjavík", "Colombia": "Bogotá",
    "Argentina": "Buenos Aires", "Mexico": "Mexico City", "India": "New Delhi",
    "South Korea": "Seoul",
}  # fmt: skip

Exchange = tuple[str, str]


def _greeting(rng: Random) -> Exchange:
    if rng.random() < 0.3:
        name = made_up_word(rng).capitalize() if rng.random() < 0.5 else pick(rng, FIRST_NAMES)
        return f"My name is {name}.", f"Nice to meet you, {name}."
    return pick(rng, GREETINGS)


def _fact(rng: Random) -> Exchange:
    country = pick(rng, list(CAPITALS))
    ask = pick(rng, ["What is the capital of {}?", "Tell me the capital of {}.", "The capital of {}?"])
    return ask.format(country), f"The capital of {country} is {CAPITALS[country]}."


def _sum(rng: Random) -> Exchange:
    a, b = rng.randint(0, 12), rng.randint(0, 12)
    ask = pick(rng, ["What is {} plus {}?", "Add {} and {}.", "How much is {} plus {}?"])
    return ask.format(a, b), f"{a} plus {b} is {a + b}."


def _words(rng: Random) -> Exchange:
    words = [word(rng, NOUNS, 0.5) for _ in range(rng.randint(2, 4))]
    text = " ".join(words)
    match int(rng.random() * 4):
        case 0:
            return f"What is the first word of: {text}", f"The first word is {words[0]}."
        case 1:
            return f"What is the last word of: {text}", f"The last word is {words[-1]}."
        case 2:
            return f"How many words are these: {text}", f"These are {len(words)} words."
        case _:
            return f"Say these words backwards: {text}", " ".join(reversed(words))


def _copy(rng: Random) -> Exchange:
    text = " ".join(word(rng, PLAIN_WORDS, 0.7) for _ in range(rng.randint(2, 9)))
    if rng.random() < 0.5:
        text = text.capitalize() + "."
    ask = pick(rng, ["Repeat: {}", "Say this again: {}", "Copy this text: {}"])
    return ask.format(text), text


def _json(rng: Random) -> Exchange:
    kinds = ["word", "person", "phrase", "code", "date", "integer", "number", "boolean", "list:word"]
    fields = {word(rng, NOUNS, 0.6): draw(pick(rng, kinds), rng, 0.5) for _ in range(rng.randint(1, 4))}
    if rng.random() < 0.15:
        inner = {word(rng, NOUNS, 0.6): draw(pick(rng, kinds), rng, 0.5) for _ in range(2)}
        fields[word(rng, NOUNS, 0.6)] = inner
    text = json.dumps(fields, ensure_ascii=False)
    if rng.random() < 0.5 or any(isinstance(v, (list, dict)) for v in fields.values()):
        return pick(rng, ["Repeat this JSON: ", "Copy: ", "Print this JSON again: "]) + text, text
    said = ", ".join(f"{k} {str(v).lower() if isinstance(v, bool) else v}" for k, v in fields.items())
    return pick(rng, ["Write as JSON: ", "Make a JSON object of "]) + said, text


CHAT: list[Callable[[Random], Exchange]] = [_greeting, _greeting, _fact, _sum, _words]
"""Talk in which no tool has a part."""

COPYING: list[Callable[[Random], Exchange]] = [_copy, _json, _json]
"""Exercises in copying."""


def chat(rng: Random) -> Exchange:
    """A question and its answer, from `CHAT`."""
    return pick(rng, CHAT)(rng)


def copying(rng: Random) -> Exchange:
    """A request to copy, and the copy."""
    return pick(rng, COPYING)(rng)
