"""The pages of the project: their code blocks, the commands in them, their code spans and links."""

import re
import shlex
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Block:
    page: Path
    line: int  # of its first line of text
    language: str  # of a fence; "indented" for a block without one
    text: str

    @property
    def place(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages():
    """In the order of reading: the README, docs/ as its index names it, what it does not name, then the others."""
    index = ROOT / "docs" / "README.md"
    named = [ROOT / "docs" / target for target, _ in links(index.read_text()) if "/" not in target]
    found = [ROOT / "README.md", index, *named, *sorted((ROOT / "docs").rglob("*.md")), ROOT / "CONTRIBUTING.md",
             ROOT / "CHANGELOG.md"]
    return [page for page in dict.fromkeys(found) if page.is_file()]


def blocks(page):
    """Code blocks, fenced (also in a list) or indented by four spaces behind a blank line."""
    found, lines, at, in_list = [], page.read_text().split("\n"), 0, False
    while at < len(lines):
        fence = re.match(r"( *)(`{3,}|~{3,})\s*(\w*)", lines[at])
        if fence:
            end = at + 1
            while not lines[end].strip().startswith(fence[2]):
                end += 1
            found.append(Block(page, at + 2, fence[3], textwrap.dedent("\n".join(lines[at + 1:end]))))
            at = end + 1
            continue
        if lines[at].strip() and not lines[at].startswith(" "):
            in_list = re.match(r"([-*]|\d+\.) ", lines[at]) is not None
        if lines[at].startswith("    ") and not in_list and (at == 0 or not lines[at - 1].strip()):
            end = at
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            found.append(Block(page, at + 1, "indented", textwrap.dedent("\n".join(lines[at:end])).rstrip()))
            at = end
            continue
        at += 1
    return found


def prose(text):
    """Without its code blocks."""
    text = re.sub(r"^( *)(`{3,}|~{3,}).*?^ *\2", "", text, flags=re.M | re.S)
    return re.sub(r"(?<=\n\n)(    .*\n?)+", "", text)


def spans(text):
    """Code in backticks within a line or a paragraph."""
    return [" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose(text))]


def links(text):
    """(target, anchor) of every relative link and picture."""
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)|<img[^>]* src=\"([^\"]+)\"", prose(text)):
        target = target[0] or target[1]
        if not re.match(r"[a-z]+:", target):
            found.append(tuple(target.split("#", 1)) if "#" in target else (target, ""))
    return found


def anchors(text):
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", prose(text), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(text):
    """The commands of a block: lines, joined where a quote, a backslash or a here-document goes on."""
    found, begun = [], ""
    for line in text.split("\n"):
        begun = begun + "\n" + line if begun else line
        if not begun.strip() or begun.lstrip().startswith("#"):
            begun = ""
        elif is_whole(begun):
            found.append(without_comment(begun))
            begun = ""
    if begun:
        raise ValueError(f"a command that does not end: {begun!r}")
    return found


def is_whole(text):
    here = re.search(r"<<'?(\w+)'?", text)
    if here:
        return text.endswith("\n" + here[1])
    if text.endswith("\\"):
        return False
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return True


def without_comment(text):
    """`a b   # why` says `a b`."""
    return re.sub(r"\s+# [^'\"]*$", "", text.strip())


def program(command):
    """Its first word, behind assignments to the environment."""
    return next(word for word in shlex.split(command, comments=True) if not re.match(r"\w+=", word))


def example_files(page):
    """New files by name, and lines to add to files that are there: the blocks of C++ and of diff behind a line that ends
    in a name in backticks and a colon."""
    files, additions, lines = {}, {}, page.read_text().split("\n")
    for block in blocks(page):
        if block.language in ("cpp", "diff"):
            before = next(line for line in reversed(lines[:block.line - 2]) if line.strip())
            name = re.search(r"`([\w/]+\.\w+)`:$", before)[1]
            (files if block.language == "cpp" else additions)[name] = block.text
    return files, additions
