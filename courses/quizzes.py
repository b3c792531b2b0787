"""Show a quiz and mark its answers. Answers are not stored: a quiz is for learning and can be repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from courses.models import QuizQuestion


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible answer, for the page."""

    number: int
    text: str
    is_chosen: bool
    is_right: bool


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question, and whether its answer is right."""

    question: QuizQuestion
    field: str
    choices: list[Choice]
    is_answered: bool
    is_right: bool


@dataclass(frozen=True, slots=True)
class Quiz:
    """All questions of a lesson. `is_marked` is True after the answers are submitted: the page then shows feedback."""

    questions: list[AskedQuestion]
    is_marked: bool

    @property
    def right_count(self) -> int:
        return sum(asked.is_right for asked in self.questions)

    @property
    def is_all_right(self) -> bool:
        return self.right_count == len(self.questions)


def ask_quiz(questions: Iterable[QuizQuestion]) -> Quiz:
    """The quiz before it is answered."""
    return Quiz(questions=[_asked(question, {}) for question in questions], is_marked=False)


def mark_quiz(questions: Iterable[QuizQuestion], answers: Mapping[str, str]) -> Quiz:
    """The quiz with feedback. An answer that is not one of the choices counts as not answered."""
    return Quiz(questions=[_asked(question, answers) for question in questions], is_marked=True)


def _asked(question: QuizQuestion, answers: Mapping[str, str]) -> AskedQuestion:
    field = f"question-{question.pk}"
    answer = answers.get(field, "")
    choices = [
        Choice(number, text, is_chosen=answer == str(number), is_right=number == question.right_choice)
        for number, text in enumerate(question.choices)
    ]
    return AskedQuestion(
        question=question,
        field=field,
        choices=choices,
        is_answered=any(choice.is_chosen for choice in choices),
        is_right=any(choice.is_chosen and choice.is_right for choice in choices),
    )
