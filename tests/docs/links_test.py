#!/usr/bin/env python3
"""Every relative link, anchor and path in the pages leads somewhere, and the README stays a door.

    links_test.py [FLOWQAT]
"""

import re
import sys
import unittest

from pages import ROOT, anchors, example_files, links, pages, prose, spans

README_LINES = 150
GENERATED = ("nodes.md", "commands.md")

# Folders in paths that are not in the repository: a command makes them, or they are the reader's own.
MADE = {
    "clips": "where Common Voice keeps its recordings",
    "data": "the demo corpus, LibriSpeech, and what a reader keeps there",
    "runs": "what runs leave",
    "build": "the build folder",
    ".venv": "the Python environment that scripts/setup.sh makes",
    "checkpoints": "in a run's folder",
    "float": "in a run's folder",
    "int8": "in a run's folder",
}

def is_path(span):
    """Words joined by slashes, a folder, or a page; no option, pattern, placeholder or address."""
    if re.fullmatch(r"[\w-]+\.md", span):
        return True
    looks_so = re.fullmatch(r"[\w.-]+(/[\w.-]+)*/|[\w.-]+(/[\w.-]+)+", span)
    return looks_so is not None and not re.search(r"\b[A-Z]{2,}\b", span)


class Pages(unittest.TestCase):
    def test_links_lead_to_files_and_headings(self):
        for page in pages():
            for target, anchor in links(page.read_text()):
                with self.subTest(page=str(page.relative_to(ROOT)), link=target, anchor=anchor):
                    there = (page.parent / target).resolve() if target else page
                    self.assertTrue(there.exists(), "there is no such file")
                    if anchor and there.suffix == ".md":
                        self.assertIn(anchor, anchors(there.read_text()))

    def test_paths_in_backticks_are_there(self):
        examples, _ = example_files(ROOT / "CONTRIBUTING.md")
        for page in pages():
            if page.name == "CHANGELOG.md":
                continue  # it speaks of what was
            for span in filter(is_path, spans(page.read_text())):
                with self.subTest(page=str(page.relative_to(ROOT)), path=span):
                    if span.split("/")[0] not in MADE and span not in examples:
                        self.assertTrue((ROOT / span).exists() or (page.parent / span).exists(),
                                        "there is no such file; mend it, or declare it in MADE of this test")

    def test_the_readme_is_a_door(self):
        self.assertLessEqual(len((ROOT / "README.md").read_text().splitlines()), README_LINES)

    def test_the_index_names_every_page(self):
        index = (ROOT / "docs" / "README.md").read_text()
        named = {target for target, _ in links(index)}
        for page in (ROOT / "docs").glob("*.md"):
            self.assertIn(page.name, named | {"README.md"})

    def test_lines_fit_an_editor(self):
        for page in pages():
            for line in prose(page.read_text()).splitlines():
                is_free = line.startswith("|") or "](" in line or "<img" in line or page.name in GENERATED
                self.assertTrue(is_free or len(line) <= 140, f"{page.relative_to(ROOT)}: {len(line)} characters: {line}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
