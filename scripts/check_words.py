"""Check that docstrings, messages and docs use plain words: prints each hit of the list below and exits with 1.

The list holds words that a reader of scikit-learn's documentation would stumble over, each with what to write instead.
Run it from the root of the repository: ``python scripts/check_words.py``.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

WORDS = {
    r"\bheed(s|ed|ing)?\b": "use, take into account",
    r"\b(told|tells?|telling) of\b": "say, report, warn about",
    r"\bdoubt(s|ed|ful)?\b": "warn, check",
    r"\bstrangers?\b": "unknown ids",
    r"\bunasked\b": "by default",
    r"(?<!there )\b(is|are|was|were) no (?!(longer|more|less|better|faster|slower|different|one)\b)": "is not a",
    r"(^|[.;:(] )(of|for) (a|an|the|each|such) [\w' -]{1,30} it (is|was)\b": "name the subject first",
    r"\b(go|goes|went|gone|going) on\b": "continue, resume",
    r"\bnobody('s)?\b": "no user, anonymous",
    r"\bof (whom|which) (it|there)\b": "name the subject first",
    r"\bof no account\b": "not used",
    r"\bsay for whom\b": "name the argument",
    r"\bthat nothing is known of\b": "unknown",
    r"\b(hence|thereof|therein|whereof|wherein)\b": "so, of it, in it",
    r"\bby heart\b": "memorize",
    r"\bfor want of\b": "because there is no",
    r"\blikely meant\b": "did you mean",
    r"\bhardly meant\b": "probably not intended",
    r"\bin hand\b": "already borrowed",
    r"\b(riddle|befall|beheld|wont)\b": "plain words",
}
PATTERNS = {re.compile(pattern, re.IGNORECASE | re.MULTILINE): instead for pattern, instead in WORDS.items()}
FOLDERS = ("skrec", "docs", "examples", "benchmarks", "scripts")
SUFFIXES = {".py", ".md", ".rst"}
PAGES = ("README.md", "CHANGELOG.md")


def texts_of_code(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and text of every string (docstrings and messages) and every comment of a module."""
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "X" for part in node.values]
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


def hits(path: Path) -> Iterator[str]:
    """Yield a line for each word of the list that a file holds."""
    texts = texts_of_code(path) if path.suffix == ".py" else iter([(1, path.read_text(encoding="utf-8"))])
    seen = set()
    for line, text in texts:
        joined = re.sub(r"(?<=\S)\n\s*(?=\S)", " ", text)  # a phrase may be broken across lines
        for pattern, instead in PATTERNS.items():
            for found in pattern.finditer(joined):
                at = line + joined.count("\n", 0, found.start())
                around = joined[max(0, found.start() - 30) : found.end() + 30].replace("\n", " ")
                hit = f"{path}:{at}: {found.group().strip()!r} in ...{around}...; write: {instead}"
                if hit not in seen:
                    seen.add(hit)
                    yield hit


def main() -> int:
    """Check all files, or those named as arguments."""
    named = [Path(name) for name in sys.argv[1:]]
    paths = named or [
        *(path for folder in FOLDERS for path in sorted(Path(folder).rglob("*")) if path.suffix in SUFFIXES),
        *map(Path, PAGES),
    ]
    paths = [path for path in paths if path.name != Path(__file__).name and "_build" not in path.parts]
    found = [hit for path in paths for hit in hits(path)]
    print("\n".join(found) if found else f"{len(paths)} files: no word of the list.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
