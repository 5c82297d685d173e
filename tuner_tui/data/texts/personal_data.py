"""E-mail addresses, telephone, card and bank account numbers in a text: what may be a person's.

Addresses and numbers that are set aside for documentation, or are plainly made up, are none. Every quantifier
is bounded, so that a hostile text costs time in proportion to its length.
"""

import re
from collections.abc import Iterator

_LOCAL = re.compile(r"[A-Za-z0-9_%+-][A-Za-z0-9._%+-]{0,63}")  # read backwards from the @
_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])")
# RFC 2606 and RFC 6761, and what authors of examples write instead.
_NO_DOMAIN = re.compile(
    r"(?:^|\.)(?:example|test|invalid|localhost|local)$"
    r"|(?:^|\.)(?:example|email|mail|domain|test|company|yourcompany|mycompany|mydomain|yourdomain|website"
    r"|business|acme|abc|xyz|foo|bar|sample|provider|site|corp|organization|university|school|work)\.[a-z.]{2,6}$"
    r"|example",
    re.IGNORECASE,
)
# Mailboxes of a role (RFC 2142 and the like) belong to no one person.
_ROLE = re.compile(
    r"(?:info|support|help|helpdesk|contact|sales|admin|administrator|office|hello|hi|team|service|noreply"
    r"|no[._-]?reply|do[._-]?not[._-]?reply|press|media|jobs|careers|hr|billing|accounts?|webmaster|postmaster"
    r"|hostmaster|abuse|security|privacy|legal|marketing|feedback|enquiries|inquiries|orders?|bookings?"
    r"|reservations?|customer[._-]?(?:service|care|support)|newsletter|notifications?|git|user(?:name)?\d{0,4}"
    r"|name|your[._-]?name|your[._-]?email|email|test\d{0,4}|example|someone|recipient|sender|foo|bar"
    r"|(?:john|jane)[._-]?(?:doe|smith)\d{0,4}|alice|bob|(?:john|jane)\d{0,4})$",
    re.IGNORECASE,
)

_PHONE = re.compile(r"(?<![\w.,+/=-])(?:\+[1-9]|\([2-9]|[2-9])[0-9 ().-]{6,20}[0-9](?![\w])(?![.,-][0-9])")
_NANP = re.compile(r"(?:\([2-9][0-9][0-9]\) ?|[2-9][0-9][0-9][ .-])[2-9][0-9][0-9][ .-][0-9]{4}")
_RUN = re.compile(r"([0-9])\1{4}|01234|12345|23456|34567|45678|56789|98765|87654|76543|65432|54321")
_FICTION = re.compile(
    r"44(?:7700900|207946|1632960|1914980|1184960|2890180|2920180|1314960)"
)  # Ofcom's numbers

_CARD = re.compile(r"(?<![\w.+/=-])[0-9](?:[ -]?[0-9]){13,15}(?![\w])(?![.,-][0-9])")
_ISSUERS = re.compile(
    r"4[0-9]{15}|5[1-5][0-9]{14}|2(?:2[2-9]|[3-6][0-9]|7[01])[0-9]{13}|3[47][0-9]{13}|6(?:011|5[0-9][0-9])[0-9]{12}"
    r"|35[0-9]{14}|3(?:0[0-5]|[68][0-9])[0-9]{11}"
)
_TEST_CARDS = frozenset(  # those of the payment providers' test pages
    (
        *("4111111111111111", "4012888888881881", "4242424242424242", "4000056655665556", "4000000000000002"),
        *("5555555555554444", "5105105105105100", "2223003122003222", "5200828282828210", "378282246310005"),
        *("371449635398431", "378734493671000", "6011111111111117", "6011000990139424", "30569309025904"),
        *("38520000023237", "36227206271667", "3530111333300000", "3566002020360505", "4532015112830366"),
        *("4539578763621486", "4916338506082832"),
    )
)
_CARD_WORD = re.compile("card|credit|debit|visa|payment", re.IGNORECASE)

_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
)
_IBAN_LENGTHS = {  # https://www.swift.com/standards/data-standards/iban-international-bank-account-number
    **{"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29},
    **{"CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24},
    **{"FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21},
    **{"HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21},
    **{"LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30},
    **{"NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24},
    **{"SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20},
}
_KNOWN_IBANS = frozenset(  # those by which the format is explained
    (
        *("DE89370400440532013000", "GB29NWBK60161331926819", "GB82WEST12345698765432"),
        *("GB33BUKB20201555555555", "FR1420041010050500013M02606", "FR7630006000011234567890189"),
        *("NL91ABNA0417164300", "ES9121000418450200051332", "IT60X0542811101000000123456"),
        *("CH9300762011623852957", "BE68539007547034", "AT611904300234573201"),
    )
)


def personal_data(text: str, name: str = "") -> Iterator[str]:
    """What looks like a person's address or number in a text, each kind once, as a few words that do not give
    it away. `name` is that of the argument in which the text stands."""
    if "@" in text and (found := _email(text)):
        yield found
    # A card number has parts that look like a telephone number.
    if found := next(_cards(text, name), None) or next(_phones(text), None):
        yield found
    for match in _IBAN.finditer(text):
        bare = match[0].replace(" ", "")
        if _IBAN_LENGTHS.get(bare[:2]) == len(bare) and bare not in _KNOWN_IBANS and _iban_holds(bare):
            yield f"a bank account number ({bare[:2]}…{bare[-2:]})"
            break


def _email(text: str) -> str | None:
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1, at + 256)
        local = _LOCAL.match(text[max(0, at - 64) : at][::-1]) if domain else None
        if domain and local and not _NO_DOMAIN.search(domain[0]):
            mailbox = local[0][::-1]
            if not _ROLE.match(mailbox) and not _in_address(text, at):
                return f"an e-mail address ({mailbox[0]}…@{domain[0]})"
        at = text.find("@", at + 1)
    return None


def _in_address(text: str, at: int) -> bool:
    """Whether the @ is that of `scheme://user:password@host`."""
    _, scheme, before = text[max(0, at - 160) : at].rpartition("://")
    return bool(scheme) and "/" not in before and not any(map(str.isspace, before))


def _phones(text: str) -> Iterator[str]:
    for match in _PHONE.finditer(text):
        digits = "".join(filter(str.isdigit, match[0]))
        national = match[0]
        if match[0].startswith("+"):
            if not 9 <= len(digits) <= 15 or _FICTION.match(digits):
                continue
            if digits[0] == "1":
                national = f"{digits[1:4]} {digits[4:7]} {digits[7:]}"
        if not match[0].startswith("+") or digits[0] == "1":
            if not _NANP.fullmatch(national):
                continue
            area, exchange = digits[-10:-7], digits[-7:-4]
            # 555 is the exchange of fiction, and N11 are services.
            if "555" in (area, exchange) or area[1:] == "11" or exchange[1:] == "11":
                continue
        if not _RUN.search(digits):
            shown = f"+{digits[0]}" if match[0].startswith("+") else ""
            yield f"a telephone number ({shown}…{digits[-2:]})"


def _cards(text: str, name: str) -> Iterator[str]:
    for match in _CARD.finditer(text):
        digits = "".join(filter(str.isdigit, match[0]))
        if not _ISSUERS.fullmatch(digits) or digits in _TEST_CARDS or _RUN.search(digits):
            continue
        # A bare number of the right length passes the check by chance, once in ten.
        if digits == match[0] and not _CARD_WORD.search(name) and not _CARD_WORD.search(text):
            continue
        if luhn(digits):
            yield f"a card number (…{digits[-4:]})"


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    doubled = (2 * int(digit) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(value - 9 * (value > 9) for value in doubled)) % 10 == 0


def _iban_holds(bare: str) -> bool:
    """The check digits of ISO 13616: letters as numbers, the first four signs last, modulo 97."""
    return int("".join(str(int(sign, 36)) for sign in bare[4:] + bare[:4])) % 97 == 1
