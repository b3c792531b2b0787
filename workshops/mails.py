"""Mails to buyers, participants and teachers, queued in the transaction of the change they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from functools import partial
from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts.canonical_addresses import readable_address
from accounts.models import User
from accounts.time_zones import zone_of_user
from notifications.attachments import Attachment
from notifications.outbox import mails_gathered, queue_mail
from payments.contracts import SoldLine
from workshops.calendar_file import address_of, calendar_of, calendar_of_ticket
from workshops.models import Registration, Workshop
from workshops.schedule import session_times


def queue_registration_mails(*, line: SoldLine, registrations: Sequence[Registration]) -> None:
    """Queue a confirmation to the buyer, a ticket to each named participant, and a notice to the teacher.

    The buyer typed the participants' names and addresses, so tickets quote neither these names nor the buyer's.
    """
    workshop = registrations[0].workshop
    buyer = registrations[0].buyer
    people = [
        {"name": place.participant_name, "email": readable_address(place.participant_email), "code": place.code}
        for place in registrations
    ]
    queue_mail(
        key=f"workshop-line:{line.id}:confirmed:buyer",
        to=buyer,
        template="workshops/mail/registration_confirmed",
        context=_about(workshop, zone_of_user(buyer))
        | _access(workshop)
        | {
            "participants": people,
            "order_number": line.order_number,
            "tickets_path": f"{reverse('workshops:mine')}#line-{line.id}",
            "policy": line.policy.get("text", ""),
        },
        attachments=[_calendar(calendar_of_ticket(registrations[0], zone_of_user(buyer)))],
        part_of=line.purchase_mail,
    )
    for place in _other_participants(registrations, buyer):
        queue_mail(
            key=f"workshop-registration:{place.pk}:ticket",
            to=place.participant_email,
            template="workshops/mail/ticket_issued",
            context=_about(workshop, workshop.zone) | _access(workshop) | {"code": place.code},
            attachments=[_calendar(calendar_of(workshop, workshop.zone))],
        )
    _mail_teacher(workshop, line, template="registration_received", people=people, buyer=buyer, about="all")


def queue_gift_registered(*, line: SoldLine, registrations: Sequence[Registration]) -> None:
    """Tell the teacher of a place that was bought as a gift. The ticket waits for the person who redeems it."""
    place = registrations[0]
    people = [{"name": f"{place.participant_name} (gift)", "email": "", "code": ""}]
    _mail_teacher(place.workshop, line, template="registration_received", people=people, buyer=place.buyer, about="all")


def queue_gift_handed_over(*, line: SoldLine, registrations: Sequence[Registration]) -> None:
    """Send the ticket to the person who redeemed the gift. They hear nothing of the order and its money."""
    for place in registrations:
        receiver = place.buyer
        queue_mail(
            key=f"workshop-registration:{place.pk}:handed-over",
            to=receiver,
            template="workshops/mail/registration_confirmed",
            context=_about(place.workshop, zone_of_user(receiver))
            | _access(place.workshop)
            | {
                "participants": [{"name": place.participant_name, "email": "", "code": place.code}],
                "order_number": "",
                "tickets_path": f"{reverse('workshops:mine')}#line-{line.id}",
                "policy": "",
            },
            attachments=[_calendar(calendar_of_ticket(place, zone_of_user(receiver)))],
        )


def queue_revocation_mails(*, line: SoldLine, registrations: Sequence[Registration]) -> None:
    """Queue mails to named participants whose ticket is no longer valid, and to the teacher.

    The buyer gets the mails of payments about the cancellation and the refund.
    """
    workshop = _workshop_with_people(registrations[0].workshop_id)
    buyer = User.objects.get(pk=line.buyer_id)
    for place in _other_participants(registrations, buyer):
        queue_mail(
            key=f"workshop-registration:{place.pk}:revoked",
            to=place.participant_email,
            template="workshops/mail/ticket_revoked",
            context=_about(workshop, workshop.zone)
            | {
                "code": place.code,
                "is_workshop_cancelled": workshop.is_cancelled,
            },
            attachments=[
                _calendar(
                    calendar_of(
                        workshop, workshop.zone, held_since=place.confirmed_at, revocations=1, is_cancelled=True
                    )
                )
            ],
        )
    if workshop.is_cancelled:
        # The teacher, who cancelled it, gets one mail when all are refunded, not one for each.
        return
    people = [
        {"name": place.participant_name, "email": readable_address(place.participant_email)} for place in registrations
    ]
    # A line may lose its places one after another; the teacher gets a mail each time.
    about = "-".join(str(place.pk) for place in registrations[:5])
    reason = registrations[0].revoked_reason
    _mail_teacher(
        workshop, line, template="registration_revoked", people=people, buyer=buyer, about=about, reason=reason
    )


def queue_new_schedule_mails(workshop: Workshop) -> None:
    """Queue a mail about new times or a new place to each buyer and participant with a confirmed place.

    Several changes in a short time are reported by one mail with the latest times and place.
    """
    places = workshop.registrations.filter(state=Registration.State.CONFIRMED).select_related("buyer", "workshop")
    change = f"workshop:{workshop.pk}:moved:{timezone.now().isoformat()}"
    mailed: set[str] = set()
    with mails_gathered():
        for place in places:
            for recipient, zone, write_calendar in _readers_of(place):
                address = recipient if isinstance(recipient, str) else recipient.email
                if address and address.lower() not in mailed:
                    mailed.add(address.lower())
                    queue_mail(
                        series=f"workshop:{workshop.pk}:moved",
                        key=f"{change}:{place.pk}:{len(mailed)}",
                        to=recipient,
                        template="workshops/mail/workshop_moved",
                        context=_about(workshop, zone) | _access(workshop),
                        attachments=[_calendar(write_calendar())],
                    )


def _readers_of(place: Registration) -> list[tuple[User | str, tzinfo, Callable[[], str]]]:
    """Buyer and participant of a place, each with their zone and what writes their calendar file."""
    workshop, zone = place.workshop, zone_of_user(place.buyer)
    write = partial(calendar_of, workshop, workshop.zone, held_since=place.confirmed_at)
    if place.is_gift_waiting:
        return [(place.buyer, zone, partial(calendar_of, workshop, zone, held_since=place.confirmed_at))]
    return [
        (place.buyer, zone, partial(calendar_of_ticket, place, zone)),
        (place.participant_email, workshop.zone, write),
    ]


def _mail_teacher(  # noqa: PLR0913  # each is content of the mail, or part of its key
    workshop: Workshop,
    line: SoldLine,
    *,
    template: str,
    people: list[dict[str, str]],
    buyer: User,
    about: str,
    reason: str = "",
) -> None:
    teacher = workshop.teacher
    queue_mail(
        key=f"workshop-line:{line.id}:{template}:{about}:teacher",
        to=teacher.user,
        template=f"workshops/mail/{template}",
        context=_about(workshop, zone_of_user(teacher.user))
        | {
            "buyer": buyer.display_name,
            "participants": people,
            "order_number": line.order_number,
            "participants_path": reverse("workshops:participants", args=[workshop.slug]),
            "reason": reason,
            **line.sale,
        },
    )


def _workshop_with_people(workshop_id: int) -> Workshop:
    return Workshop.objects.select_related("teacher__user").prefetch_related("sessions").get(pk=workshop_id)


def _other_participants(registrations: Iterable[Registration], buyer: User) -> list[Registration]:
    """Registrations with an email address other than the buyer's, who gets a separate mail."""
    return [place for place in registrations if place.participant_email.lower() not in ("", buyer.email.lower())]


def _calendar(text: str) -> Attachment:
    return Attachment("workshop.ics", "text/calendar", text)


def _about(workshop: Workshop, reader: tzinfo) -> dict[str, Any]:
    """Texts about the workshop, as plain JSON. For people without an account `reader` is the workshop's own zone."""
    return {
        "title": workshop.title,
        "teacher": workshop.teacher.display_name,
        "where": workshop.where,
        "workshop_path": workshop.get_absolute_url(),
        "sessions": [{"when": session.when} for session in session_times(workshop, reader)],
    }


def _access(workshop: Workshop) -> dict[str, str]:
    """Address or link, which only registered people may see."""
    return {
        "address": "" if workshop.is_online else address_of(workshop),
        "online_url": workshop.online_url if workshop.is_online else "",
    }
