"""The demo's accounts, subjects and teachers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils.text import slugify

from accounts.addresses import record_verified_address
from accounts.applications import Application, apply_to_teach, approve_teacher
from accounts.models import Teacher, User
from accounts.profiles import change_teacher_profile
from catalogue.expertise import set_expertise
from catalogue.models import Subject
from demo.accounts import ACCOUNTS, PASSWORD, STAFF
from demo.loading.files import read_toml
from demo.portraits import draw_portrait
from uploads.pictures import PORTRAIT, read_picture


@transaction.atomic
def load_accounts() -> int:
    """Create the accounts that visitors can sign in to; returns how many are new."""
    new = 0
    for account in ACCOUNTS:
        if not User.objects.filter(email=account.email).exists():
            is_staff = account is STAFF
            create = User.objects.create_superuser if is_staff else User.objects.create_user
            _verify(create(account.email, PASSWORD, full_name=account.full_name))
            new += 1
    return new


@transaction.atomic
def load_subjects() -> int:
    """Create the subjects, broad ones first; returns how many are new."""
    new = 0
    for broad_name, narrower in read_toml("subjects.toml").items():
        broad, is_new = Subject.objects.get_or_create(slug=slugify(broad_name), defaults={"name": broad_name})
        new += is_new
        for name, (tone, motif) in narrower.items():
            looks = {"chosen_tone": tone, "chosen_motif": motif}
            _, is_new = Subject.objects.get_or_create(
                slug=slugify(name), defaults={"name": name, "broader": broad} | looks
            )
            new += is_new
    return new


def load_teachers() -> int:
    """Let the teachers apply, and approve all but one; returns how many are new."""
    known = set(Teacher.objects.values_list("user__email", flat=True))
    missing = [facts for facts in read_toml("teachers.toml")["teachers"] if facts["email"] not in known]
    for facts in missing:
        _load_teacher(facts)
    return len(missing)


@transaction.atomic
def _load_teacher(facts: Mapping[str, Any]) -> None:
    user = load_person(facts)
    user.time_zone = facts["time_zone"]
    user.save()
    application = Application(
        display_name=facts["name"],
        headline=facts["headline"],
        biography=facts["biography"].strip(),
        languages=facts["languages"],
        regions=facts["regions"],
    )
    teacher = apply_to_teach(user=user, application=application)
    portrait = SimpleUploadedFile("portrait.png", draw_portrait(facts["look"]), "image/png")
    change_teacher_profile(teacher=teacher, photo=read_picture(portrait, shape=PORTRAIT))
    for name, levels in facts["teaches"].items():
        set_expertise(teacher=teacher, subject=Subject.objects.get(name=name), levels=levels)
    if not facts.get("waits_for_approval"):
        approve_teacher(teacher=teacher, by=User.objects.get(email=STAFF.email))


def load_person(facts: Mapping[str, Any]) -> User:
    """A person as whom visitors do not sign in: only the demo's own accounts have the password."""
    user, is_new = User.objects.get_or_create(email=facts["email"], defaults={"full_name": facts["name"]})
    if is_new:
        user.set_unusable_password()
        user.save()
        _verify(user)
    return user


def _verify(user: User) -> None:
    """Have the address count as confirmed, as if they had followed the link."""
    record_verified_address(user)
