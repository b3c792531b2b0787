"""The demo's accounts. Their password is public, so none of this exists outside development."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "learn-with-lectern"  # noqa: S105 - public on purpose


@dataclass(frozen=True, slots=True)
class DemoAccount:
    email: str
    full_name: str
    role: str
    explanation: str


STUDENT = DemoAccount(
    "student@demo.example",
    "Sam Okafor",
    "student",
    "Books lessons, takes courses, pays. One lesson is accepted already.",
)
TEACHER = DemoAccount(
    "teacher@demo.example",
    "Elena Marchetti",
    "teacher",
    "Gives lessons and workshops, sells courses, answers requests.",
)
STAFF = DemoAccount(
    "staff@demo.example", "Ruth Adeyemi", "staff", "Runs the place: approvals, orders, alerts, the admin."
)
ACCOUNTS = (STUDENT, TEACHER, STAFF)
