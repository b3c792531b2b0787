"""Read the data files, including the courses written in Markdown."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from money import Money

DATA = Path(__file__).resolve().parent.parent / "data"
QUIZ = "Quiz: "
# About how many words a minute people read in a text they want to learn from.
WORDS_A_MINUTE = 60


@dataclass(slots=True)
class WrittenLesson:
    """A lesson's title and text; for a quiz also the questions, each as fields of the model."""

    title: str
    lines: list[str] = field(default_factory=list)
    questions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def body(self) -> str:
        return "\n".join(self.lines).strip()

    @property
    def minutes(self) -> int:
        return max(3, round(len(self.body.split()) / WORDS_A_MINUTE), 2 * len(self.questions))


@dataclass(slots=True)
class WrittenModule:
    title: str
    lessons: list[WrittenLesson] = field(default_factory=list)


@dataclass(slots=True)
class WrittenCourse:
    facts: dict[str, Any]
    description: str
    modules: list[WrittenModule]


def read_toml(name: str) -> dict[str, Any]:
    """Return the content of one of the TOML files."""
    return tomllib.loads((DATA / name).read_text())


def read_prices(amounts: Mapping[str, int]) -> list[Money]:
    """Return amounts in minor units by currency as money."""
    return [Money(minor, currency) for currency, minor in amounts.items()]


def read_courses() -> list[WrittenCourse]:
    """Return all courses, by file name."""
    return [read_course(path.read_text()) for path in sorted((DATA / "courses").glob("*.md"))]


def read_course(text: str) -> WrittenCourse:
    """Parse a course: facts between +++, then the description, `# modules`, `## lessons` and `## Quiz: titles`."""
    _, facts, written = text.split("+++\n", 2)
    course = WrittenCourse(tomllib.loads(facts), "", [])
    before = WrittenLesson("")
    lesson = before
    is_code = False
    for line in written.splitlines():
        # A # in program code is a comment, not a heading.
        is_code ^= line.startswith("```")
        if line.startswith("# ") and not is_code:
            course.modules.append(WrittenModule(line.removeprefix("# ")))
        elif line.startswith("## ") and not is_code:
            lesson = WrittenLesson(line.removeprefix("## "))
            course.modules[-1].lessons.append(lesson)
        elif lesson.title.startswith(QUIZ):
            _read_question_line(lesson, line)
        else:
            lesson.lines.append(line)
    course.description = before.body
    return course


def _read_question_line(quiz: WrittenLesson, line: str) -> None:
    """Read `? question`, `- wrong`, `* right` and `> explanation`."""
    mark, _, words = line.partition(" ")
    if mark == "?":
        quiz.questions.append({"text": words, "choices": [], "right_choice": 0, "explanation": ""})
    elif mark in ("-", "*"):
        question = quiz.questions[-1]
        if mark == "*":
            question["right_choice"] = len(question["choices"])
        question["choices"].append(words)
    elif mark == ">":
        quiz.questions[-1]["explanation"] = words
