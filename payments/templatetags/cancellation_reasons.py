"""Filters for the reasons of cancellations: `{{ order.cancel_reason|to_student:"order" }}`."""

from __future__ import annotations

from django import template

from payments.reasons import reason_for_student, reason_for_teacher

register = template.Library()

register.filter("to_student", reason_for_student)
register.filter("to_teacher", reason_for_teacher)
