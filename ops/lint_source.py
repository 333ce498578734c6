"""Finds what the style forbids and no compiler reports. Usage: lint_source.py FILE..."""

import re
import sys
from pathlib import Path

# g++ 12 destroys these temporaries twice when they stand inside a co_await expression.
LAMBDA_WITH_CAPTURES = re.compile(r"(?<![\w)\]])\[[^\[\]]+\]\s*(?:\(|\{|mutable\b)")
AGGREGATE_TEMPORARY = re.compile(r"(?:\b[A-Z]\w*|[(,]\s*)\{")
FLOATING_POINT = re.compile(r"\b(?:float|double)\b")
EXACT_FOLDERS = {"ledger", "partners", "settlement"}
# A page is drawn in fractions of a point; no amount passes through them.
DRAWING = re.compile(r"(pdf|statement_frame|statement_style)")  # places on a page are not amounts


def without_comments_and_strings(text):
    """Blanks them, keeping every line where it was."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.[^\'\n]*|[^\'\\\n])\'', re.S)

    def blank(match):
        return "\n" * match.group().count("\n") if match.group().startswith("/") else \
            '""' + "\n" * match.group().count("\n")

    return pattern.sub(blank, text)


def awaited_expressions(text):
    """Each co_await expression with the offset at which it starts."""
    for match in re.finditer(r"\bco_await\b", text):
        depth = 0
        end = match.end()
        while end < len(text):
            character = text[end]
            depth += (character in "([{") - (character in ")]}")
            if depth < 0 or (character == ";" and depth == 0):
                break
            end += 1
        yield match.start(), text[match.end():end]


def faults(path):
    text = without_comments_and_strings(Path(path).read_text(encoding="utf-8"))

    def line(offset):
        return text.count("\n", 0, offset) + 1

    for offset, expression in awaited_expressions(text):
        if LAMBDA_WITH_CAPTURES.search(expression):
            yield line(offset), "a lambda with captures inside co_await; name it first"
        if AGGREGATE_TEMPORARY.search(expression):
            yield line(offset), "an aggregate temporary inside co_await; name it first"
    if Path(path).parts[0] in EXACT_FOLDERS and not DRAWING.search(path):
        for match in FLOATING_POINT.finditer(text):
            yield line(match.start()), "floating point where amounts are exact"


def main():
    found = [f"{path}:{line}: {what}" for path in sys.argv[1:] for line, what in faults(path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
