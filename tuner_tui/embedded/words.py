"""The vocabulary of the generated text: real words, made-up words, and values of every kind.

A model of seven million parameters learns to *copy* an unseen name only if it cannot get by with
remembering the names that it saw. So half of all names and values are made of random letters, drawn
with the letter frequencies of English, and the other half come from the lists below.
"""

import string
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")


def _list(text: str, separator: str | None = None) -> list[str]:
    """The words of a readable block; lines count as separators too."""
    return text.split() if separator is None else text.strip().replace("\n", separator).split(separator)


# Relative frequencies of a..z in English text, in tenths of a percent (Lewand, "Cryptological
# Mathematics", 2000), rounded.
_LETTER_WEIGHTS = [
    82, 15, 28, 43, 127, 22, 20, 61, 70, 2, 8, 40, 24, 67, 75, 19, 1, 60, 63, 91, 28, 10, 24, 2, 20, 1,
]  # fmt: skip
_CUMULATED = list(accumulate(_LETTER_WEIGHTS))
_ONSETS = _list("b c d f g h j k l m n p r s t v w z br cr dr fl gr kl pl pr sh st th tr")
_NUCLEI = _list("a e i o u ai ea io ou")
_CODAS = ["", "", "", "l", "m", "n", "r", "s", "t", "nd", "rk", "st"]

VERBS = _list("""
add adjust approve archive assign block build calculate cancel change check clean close collect
compare compress confirm convert copy count create delete deliver detect disable download draw edit
enable estimate export fetch filter find fix format generate get import insert inspect invite label
list load locate lock log measure merge monitor move notify open order pause plan play post print
publish query rank read record register release remove rename repair report request reserve reset
resize restart restore resume review save scan schedule search select send set share show sign sort
split start stop store submit summarize sync tag test track transfer translate turn unlock update
upload validate verify view watch write
""")

NOUNS = _list("""
account address agenda alarm album alert appointment article asset audio badge balance bank battery
bill blog board book branch brand budget building bus calendar camera campaign candidate car card
cart catalog channel chapter chart chat class client clock code comment company computer contact
contract contest coupon course customer data database deal debt desk device diary dinner discount
disk doctor document domain door draft drawing driver email employee engine event exam exchange
expense feature feed fee file film flight floor folder font form forum friend game garage gift goal
grade graph group guest guide heater holiday home hotel house image index inventory invoice issue
item job journal key keyboard language lamp laptop layer lecture lesson letter level library license
light link loan location log machine magazine mail map market meal meeting member memo menu message
meter model monitor movie museum music network news note notice number office offer order package
page paint paper park parking part party password patient payment phone photo picture pipeline
plan planet player playlist plot podcast point policy poll post price printer problem process
product profile program project proof quote radio rate rating receipt recipe record refund region
rental report reservation restaurant result review robot role room route rule salary sale sample
schedule school score screen script season seat section sensor server service session shift ship
shop show signal site size skill song sound speaker stage stock store story stream street student
style subject subscription summary supplier survey switch system table target task tax taxi team
template test text theme thread ticket time title token tool topic tour toy track trade traffic
train training transaction trip truck tutor user vehicle vendor video village visit visitor voice
vote wallet warehouse watch water weather website week weight word worker zone
""")

CITIES = (
    """
Oslo|Lima|Cairo|Quito|Delhi|Paris|Rome|Berlin|Madrid|Tokyo|Seoul|Dublin|Lisbon|Vienna|Prague|Athens
Boston|Chicago|Denver|Toronto|Sydney|Nairobi|Accra|Hanoi|Zürich|Málaga|Kraków|Bogotá|Reykjavík
New York|San Francisco|Cape Town|Buenos Aires|Hong Kong|Los Angeles|Mexico City|Kuala Lumpur
São Paulo|Santa Cruz|Tel Aviv|New Delhi|Rio de Janeiro
""".strip()
    .replace("\n", "|")
    .split("|")
)

FIRST_NAMES = _list("""
Ada Amir Ana Ben Carla Chen Clara David Elena Emma Eva Farah Felix Grace Hana Hugo Ines Ivan Jonas
Julia Kai Lea Leo Lina Lucas Maria Marta Mia Nadia Nina Noah Omar Paul Priya Rosa Sam Sara Sofia
Tariq Tom Uma Vera Victor Wei Yara Yusuf Zoë Zora
""")

LAST_NAMES = _list("""
Adams Alvarez Baker Becker Brown Chen Costa Diaz Evans Fischer Garcia Haddad Hansen Ito Jensen
Khan Kim Kowalski Larsen Lopez Mendes Meyer Moreau Müller Nakamura Novak Okafor Olsen Patel Petrov
Rossi Sato Schmidt Silva Singh Smith Tanaka Torres Weber Wilson Young Ziegler
""")

COLOURS = _list("red green blue yellow black white orange purple brown grey pink silver")

# Words for short free texts. "and" is left out: it separates the arguments in a request.
PLAIN_WORDS = _list("""
about after all at back bring buy call check clean cold come early every first fresh from great green
happy hello help home large last late left little long lunch monday morning need new next nice now
old on our out over paper please quick quiet ready remember right short small soon sunday team
thanks the there today tomorrow tonight under visit warm we week welcome with work you your
""")


_REAL_WORDS = [*VERBS, *NOUNS, *PLAIN_WORDS, *COLOURS, *(name.lower() for name in FIRST_NAMES)]

# The verbs and things of the held-out tools (`catalog.HELD_OUT`): never in pre-training, never in a
# training row.
RESERVED = frozenset(
    _list("""
    aim avalanche ballet balloon brew cabbage catalogue chandelier charter chisel decipher dim
    documentary emerald espresso ferment forecast fossil glaze groom harvest helicopter honey
    inoculate kayak launch locksmith manuscript moor orchid piano polish poodle pottery prune quilt
    refuel rehearse rent sailboat sharpen sheep stitch subtitle summon telescope tractor tune
    """)
)


def pick(rng: Random, items: Sequence[T]) -> T:
    """One element of *items*; faster than `Random.choice`, which matters for 10^8 tokens."""
    return items[int(rng.random() * len(items))]


def _letters(rng: Random) -> str:
    count = 3 + int(rng.random() * 7)
    return "".join(rng.choices(string.ascii_lowercase, cum_weights=_CUMULATED, k=count))


def _syllables(rng: Random) -> str:
    count = 1 + int(rng.random() * 3)
    return "".join(pick(rng, _ONSETS) + pick(rng, _NUCLEI) + pick(rng, _CODAS) for _ in range(count))


def _pieces(rng: Random) -> str:
    """Pieces of real words, glued: so that no piece is only ever seen inside its own word."""
    made = ""
    for _ in range(2 + (rng.random() < 0.4)):
        real = pick(rng, _REAL_WORDS)
        start = 0 if rng.random() < 0.5 else int(rng.random() * len(real))
        made += real[start : start + 2 + int(rng.random() * 4)]
    return made


def made_up_word(rng: Random) -> str:
    """A word which is none: random letters, random syllables, or pieces of real words."""
    while True:
        fate = rng.random()
        make = _letters if fate < 0.35 else _syllables if fate < 0.6 else _pieces
        made = make(rng)
        if len(made) > 2 and made not in RESERVED:
            return made


def word(rng: Random, real: Sequence[str], made_up: float) -> str:
    """A word of *real*, or with probability *made_up* a made-up one."""
    return made_up_word(rng) if rng.random() < made_up else pick(rng, real)


def _digits(rng: Random, count: int) -> str:
    return "".join(pick(rng, string.digits) for _ in range(count))


def _date(rng: Random) -> str:
    return f"20{rng.randint(20, 34)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"


def _code(rng: Random) -> str:
    letters = "".join(pick(rng, string.ascii_uppercase) for _ in range(rng.randint(1, 3)))
    match int(rng.random() * 4):
        case 0:
            return f"{letters}-{_digits(rng, rng.randint(2, 5))}"
        case 1:
            return letters + _digits(rng, rng.randint(2, 4))
        case 2:
            return f"{letters.lower()}_{_digits(rng, 3)}"
        case _:
            return "".join(pick(rng, "0123456789abcdef") for _ in range(rng.randint(6, 8)))


def draw(kind: str, rng: Random, made_up: float) -> Any:
    """A value of *kind*, as it stands in JSON.

    Kinds: word, place, person, phrase, date, time, email, code, integer, number, boolean,
    and `list:` before the name of another kind.
    *made_up* is the share of text values that are made of random letters.
    """
    invented = rng.random() < made_up
    match kind:
        case "word":
            return made_up_word(rng) if invented else pick(rng, COLOURS + NOUNS)
        case "place":
            return made_up_word(rng).capitalize() if invented else pick(rng, CITIES)
        case "person":
            first = made_up_word(rng).capitalize() if invented else pick(rng, FIRST_NAMES)
            if rng.random() < 0.5:
                return first
            last = made_up_word(rng).capitalize() if invented else pick(rng, LAST_NAMES)
            return f"{first} {last}"
        case "phrase":
            words = [word(rng, PLAIN_WORDS, made_up / 2) for _ in range(rng.randint(2, 5))]
            text = " ".join(words)
            return text.capitalize() if rng.random() < 0.4 else text
        case "date":
            return _date(rng)
        case "time":
            return f"{rng.randint(0, 23):02d}:{pick(rng, ['00', '15', '30', '45'])}"
        case "email":
            name = made_up_word(rng) if invented else pick(rng, FIRST_NAMES[:-2]).lower()
            return f"{name}@{made_up_word(rng)}.{pick(rng, ['com', 'org', 'net', 'io'])}"
        case "code":
            return _code(rng)
        case "integer":
            return rng.randint(1, 9) if rng.random() < 0.5 else rng.randint(10, 2500)
        case "number":
            whole = rng.randint(0, 99) if rng.random() < 0.7 else rng.randint(100, 999)
            return round(whole + rng.randint(1, 99) / 100, 2) if rng.random() < 0.8 else whole + 1
        case "boolean":
            return rng.random() < 0.5
    if kind.startswith("list:"):
        return [draw(kind[5:], rng, made_up) for _ in range(rng.randint(2, 4))]
    raise ValueError(f"unknown kind of value: {kind}")
