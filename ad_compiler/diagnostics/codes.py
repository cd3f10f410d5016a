"""Every diagnostic code, with a one-line title; `explain` gives its page.

A new code is a line here and a file `explain/CODE.md`; a test compares the two with what the package raises.
"""

from __future__ import annotations

from pathlib import Path

CODES: dict[str, str] = {
    # 1xx: the language
    "ADC101": "a construct outside the language",
    "ADC102": "a name whose meaning is not known",
    "ADC103": "a name that may not be bound here",
    "ADC104": "a write through a name that may, or may not, share memory with another",
    "ADC106": "a write in place inside a recursive function",
    "ADC107": "a function without source",
    "ADC108": "the source has changed since the function was defined",
    "ADC109": "a file that is not Python",
    "ADC110": "a source that is too large or too deeply nested",
    "ADC111": "a call to something whose meaning is not known",
    "ADC112": "a decorator that may change the function",
    "ADC113": "a write to state outside the function",
    "ADC114": "a value whose structure differs between two paths",
    "ADC115": "a generator or a coroutine",
    "ADC116": "an attribute or a method that is not known",
    "ADC117": "a call that does not fit the function it calls",
    "ADC118": "a value that must be known when compiling",
    "ADC119": "a type that is not understood",
    # 2xx: derivatives, and arguments of a call
    "ADC201": "a function that has no derivative rule",
    "ADC202": "a derivative with respect to an integer",
    "ADC203": "a gradient of something that is no scalar",
    "ADC204": "an `argnums` or `wrt` that names no argument",
    "ADC205": "an argument of a kind that is not supported",
    "ADC206": "two arguments that share memory, one of which is written",
    "ADC207": "a function that returns nothing to differentiate",
    "ADC208": "arguments that do not fit the function's signature",
    "ADC209": "a tangent or cotangent of the wrong structure",
    "ADC210": "a call option that is not known or does not fit",
    # 3xx: our bugs
    "ADC301": "the intermediate program is broken",
    "ADC302": "the emitted text does not read back as it was meant",
    # 4xx: backends
    "ADC401": "an operation that the backend cannot write",
}

PAGES = Path(__file__).with_name("explain")


def has_page(code: str) -> bool:
    return code in CODES and (PAGES / f"{code}.md").is_file()


def explain(code: str) -> str:
    """The page of `code` (`ADC201`, `adc201` or `201`); KeyError when there is none."""
    name = code.strip().upper()
    name = name if name.startswith("ADC") else f"ADC{name}"
    if not has_page(name):
        raise KeyError(name)
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")
