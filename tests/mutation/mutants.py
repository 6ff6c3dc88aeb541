"""What is changed in a source file, one place at a time. A mutant is known by file, function, line and change, never by a number of a
line, so that its justification outlives changes elsewhere in the file."""

import dataclasses
import pathlib
import re


def one_higher(number):
    """A decimal or octal number."""
    return f"0{int(number, 8) + 1:o}" if number[0] == "0" and len(number) > 1 else str(int(number) + 1)


# (pattern, replacement); each match of each is a mutant. The blanks around operators are clang-format's.
OPERATORS = [
    (r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "), (r" == ", " != "), (r" != ", " == "),
    (r" && ", " || "), (r" \|\| ", " && "), (r" \+ ", " - "), (r" - ", " + "), (r" \* ", " + "), (r" / ", " * "), (r" % ", " / "),
    (r" \| ", " & "), (r" & ", " | "), (r" \^ ", " | "), (r" << ", " >> "), (r" >> ", " << "),
    (r" \+= ", " -= "), (r" -= ", " += "), (r" \|= ", " &= "), (r" &= ", " |= "), (r"\+\+", "--"), (r"(?<=[\w\])])--", "++"),
    (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"!(?=[a-zA-Z(])", ""),
    (r"(?<=\breturn )0(?=;)", "-1"), (r"(?<=\breturn )-1(?=;)", "0"),
    # A number one higher, a name of a constant too where it is a result. Memory for one more is no change.
    (r"(?<![\w.\-\[])(?<!return )(?<!calloc\()(\d+)(?![\w.])", lambda match: one_higher(match[1])),
    (r"\b0x[0-9a-fA-F]+\b", lambda match: hex(int(match[0], 16) + 1)),
    (r"(?<=return )([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?=;)", r"\1 + 1"), (r"(?<== )([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?=;)", r"\1 + 1"),
    # Conditions without an operator that is changed above.
    (r"(?<=if \()(\w[\w.>\[\]-]*(?:\([^()]*\))?)(?=\)\n)", r"!\1"), (r"(?:(?<=[^=!<>]= )|(?<=return )|(?<=\()|(?<=, ))([a-z][\w.>\[\]-]*)(?= \? )", r"!\1"),
    (r"\bcase \w+:", ""),
]
STATEMENT = re.compile(r"^( +)(?=[\w*(+-])(?!(?:if|for|while|do|switch|case|default|else|goto|sizeof)\b)", re.MULTILINE)
DECLARATION = re.compile(r"(?:const |static |struct |enum |union |unsigned |long |char )*\w+(?: +| \*+)\w+")

HEAD = re.compile(r"^(?!\})\w[^\n;={]*?(\w+)\((?:[^;{}]*)\)\n\{", re.MULTILINE)


@dataclasses.dataclass
class Mutant:
    target: str  # token/verify
    function: str  # "-": none
    key: str  # what it is justified by
    text: str  # the whole file


def code_only(text):
    """The file with comments, strings, preprocessor lines and static assertions blanked out, every character in its place."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])

    pattern = r"/\*.*?\*/|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)+'|^#(?:[^\n]*\\\n)*[^\n]*|^_Static_assert[^;]*;"
    return re.sub(pattern, blank, text, flags=re.MULTILINE | re.DOTALL)


def end_of_statement(code, start):
    """Where a statement ends that begins here, behind its semicolon; None: it is none that can be left out."""
    depth = 0
    for position in range(start, len(code)):
        character = code[position]
        depth += character in "({["
        depth -= character in ")}]"
        if depth < 0:
            return None
        if character == ";" and depth == 0:
            return position + 1
    return None


def left_out(code):
    """(start, end) of the statements that can be left out: not declarations, nor a function's last return."""
    for match in STATEMENT.finditer(code):
        before = code[: match.start()].rstrip()
        start = match.end()
        if not before.endswith((";", "{", "}", ":", ")", "else")) or before.count("{") == before.count("}"):
            continue
        end = end_of_statement(code, start)
        if end is None:
            continue
        statement = code[start:end]
        if statement.startswith("return") and len(match[1]) < 8:
            continue
        if not statement.startswith("return") and DECLARATION.match(statement):
            continue
        yield start, end


def edits(code):
    """(start, end, replacement, what) of each change, in the file's order."""
    found = []
    for pattern, replacement in OPERATORS:
        for match in re.finditer(pattern, code):
            new = match.expand(replacement) if isinstance(replacement, str) else replacement(match)
            found.append((match.start(), match.end(), new, f"{match[0].strip()} -> {new.strip() or 'nothing'}"))
    for start, end in left_out(code):
        found.append((start, end, ";" + "\n" * code.count("\n", start, end), "left out"))
    return sorted(found)


def function_at(code, position):
    """The function that a place is in; "-": none."""
    heads = HEAD.findall(code[: code.find("\n", position) + 1])
    inside = code.count("{", 0, position) > code.count("}", 0, position)
    return heads[-1] if heads and inside else "-"


def mutants_of(target):
    text = pathlib.Path(f"src/{target}.c").read_text(encoding="utf-8")
    code = code_only(text)
    mutants, seen = [], {}
    for start, end, new, what in edits(code):
        line = text[text.rfind("\n", 0, start) + 1 : text.find("\n", start)].strip()
        function = function_at(code, start)
        if what == "left out" and function == "-":
            continue
        key = f"{target} @@ {function} @@ {line} @@ {' '.join(what.split())}"
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            key += f" #{seen[key]}"
        mutants.append(Mutant(target, function, key, text[:start] + new + text[end:]))
    return mutants


def with_marks(target, number):
    """The file with a mark at the beginning of each function, numbered from number on, and the functions' names."""
    text = pathlib.Path(f"src/{target}.c").read_text(encoding="utf-8")
    heads = list(HEAD.finditer(code_only(text)))
    for place, head in reversed(list(enumerate(heads, number))):
        text = f"{text[:head.end()]} mutation_mark({place});{text[head.end():]}"
    return f"void mutation_mark(unsigned number);\n{text}", [head[1] for head in heads]
