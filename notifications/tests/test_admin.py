"""Staff read mails as their recipients see them, retry and repeat them, and clear alerts, but cannot edit them."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.applications import Application, apply_to_teach, approve_teacher
from accounts.models import Teacher, User
from accounts.tests.factories import UserFactory
from jobs.models import DurableWork
from notifications.alerts import raise_alert
from notifications.delivery import render
from notifications.models import Alert, Mail

pytestmark = pytest.mark.django_db
MAILS = "/admin/notifications/mail/"
ALERTS = "/admin/notifications/alert/"


@pytest.fixture
def staff(client):
    user = User.objects.create_superuser("boss@staff.example", "a long password")
    client.force_login(user)
    return client


def act(client, url, action, *rows):
    return client.post(url, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)


def test_the_list_shows_and_finds_mails_with_a_constant_number_of_queries(staff, queue, django_assert_max_num_queries):
    counts = []
    for total in (1, 10):
        while Mail.objects.count() < total:
            queue(key=f"k{Mail.objects.count()}")
        with django_assert_max_num_queries(30) as captured:
            page = staff.get(MAILS, {"q": "student@mail"})
        counts.append(len(captured.captured_queries))
        assert page.content.decode().count("student@mail.example") >= total
    assert counts[0] == counts[1]


def test_a_mails_page_shows_text_and_a_sandboxed_frame(staff, queue):
    mail = queue()
    page = staff.get(f"{MAILS}{mail.pk}/change/").content.decode()
    assert f'sandbox src="{MAILS}{mail.pk}/html/"' in page
    assert "Until then you get no further email about it" in page
    assert 'name="_save"' not in page


def test_the_policy_of_the_frame_allows_only_styles(staff, queue):
    answer = staff.get(f"{MAILS}{queue().pk}/html/")
    assert "Something happened" in answer.content.decode()
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_links_that_sign_people_in_are_hidden_from_staff(staff, queue, deliver_due_mails):
    mail = queue(template="account/email/password_reset", path="/accounts/password/reset/key/canary/", name="Ada")
    assert "canary" not in staff.get(f"{MAILS}{mail.pk}/change/").content.decode()
    assert staff.get(f"{MAILS}{mail.pk}/html/").status_code == 404
    deliver_due_mails()
    assert Mail.objects.get().state == DurableWork.State.DONE
    assert "canary" not in staff.get(f"{MAILS}{mail.pk}/change/").content.decode()


def test_a_mail_that_cannot_be_rendered_still_has_a_page(staff, queue):
    page = staff.get(f"{MAILS}{queue(template='nothing/mail/here').pk}/change/")
    assert "cannot be rendered" in page.content.decode()


@pytest.mark.parametrize("pk", ["0", "99999999999999999999999"])
def test_the_frame_of_an_unknown_mail_is_not_found(staff, pk):
    assert staff.get(f"{MAILS}{pk}/html/").status_code == 404


def test_retry_gives_parked_mails_new_attempts_and_skips_sent_ones(staff, queue, deliver_due_mails):
    sent = queue(key="sent")
    deliver_due_mails()
    parked = queue(key="parked")
    parked.park_now("hopeless")
    answer = act(staff, MAILS, "retry_selected", sent, parked)
    assert "Retried: 1. 1 skipped" in answer.content.decode()
    assert set(Mail.objects.values_list("key", "state")) == {("sent", "done"), ("parked", "waiting")}


def test_a_parked_mail_is_not_sent(staff, queue, deliver_due_mails, mailoutbox):
    mail = queue()
    act(staff, MAILS, "park_selected", mail)
    deliver_due_mails()
    assert mailoutbox == []
    assert "Parked in the admin by user" in Mail.objects.get().last_error


def test_send_again_queues_a_second_mail_only_for_sent_ones(staff, queue, deliver_due_mails, mailoutbox):
    sent = queue(key="sent")
    deliver_due_mails()
    waiting = queue(key="waiting")
    act(staff, MAILS, "send_again_selected", sent, waiting)
    assert Mail.objects.filter(again_of=sent).count() == 1
    assert Mail.objects.count() == 3


def test_staff_with_view_permission_only_can_change_nothing(client, queue):
    user = UserFactory(email="support@staff.example", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_mail"))
    client.force_login(user)
    mail = queue()
    mail.park_now("hopeless")
    assert client.get(f"{MAILS}{mail.pk}/html/").status_code == 200
    act(client, MAILS, "retry_selected", mail)
    assert Mail.objects.get().state == DurableWork.State.PARKED


def test_staff_without_permission_cannot_see_mails(client, queue):
    client.force_login(UserFactory(email="other@staff.example", is_staff=True))
    assert client.get(f"{MAILS}{queue().pk}/html/").status_code in (403, 404)
    client.logout()
    assert client.get(f"{MAILS}1/html/").status_code == 302


def test_alerts_are_listed_open_first_filtered_and_cleared(staff):
    raise_alert(key="one", title="First trouble", detail={"order": "L-1"})
    raise_alert(key="two", title="Second trouble")
    first = Alert.objects.get(key="one")
    assert "L-1" in staff.get(f"{ALERTS}{first.pk}/change/").content.decode()
    act(staff, ALERTS, "clear_selected", first)
    assert Alert.objects.get(key="one").cleared_at is not None
    still_open = staff.get(ALERTS, {"state": "open"}).content.decode()
    assert "Second trouble" in still_open
    assert "First trouble" not in still_open


def test_the_overview_counts_every_kind_and_warns_when_no_sweep_runs(staff, queue):
    queue().park_now("hopeless")
    page = staff.get(reverse("admin:jobs_heartbeat_changelist")).content.decode()
    assert "Emails" in page
    assert "/admin/notifications/mail/?state__exact=parked" in page
    assert "Beat or all workers are down" in page


# --- What staff are told, and what they can do about it


def test_an_alerts_page_says_what_to_do_and_where_without_json(staff):
    detail = {"order": "L-1", "what to do": "Refund it today.", "page": "/admin/payments/order/7/change/"}
    raise_alert(key="k", title="Paid twice", detail=detail)
    page = staff.get(f"{ALERTS}{Alert.objects.get().pk}/change/").content.decode()
    assert "Refund it today." in page
    assert 'href="/admin/payments/order/7/change/"' in page
    assert "L-1" in page
    for sign_of_json in ("{&quot;", "{&#x27;", "&quot;page&quot;"):
        assert sign_of_json not in page
    assert 'href="/admin/payments/order/7/change/"' in staff.get(ALERTS).content.decode()
    [mail] = Mail.objects.filter(to="boss@staff.example")
    assert "Refund it today." in render(mail).text
    assert "Refund it today." in render(mail).html


def test_staff_acknowledge_and_clear_an_alert_on_its_page(staff):
    raise_alert(key="k", title="Trouble")
    alert = Alert.objects.get()
    staff.post(f"{ALERTS}{alert.pk}/settle/", {"do": "acknowledge"})
    alert.refresh_from_db()
    assert alert.acknowledged_by.email == "boss@staff.example"
    assert alert.cleared_at is None
    page = staff.get(f"{ALERTS}{alert.pk}/change/").content.decode()
    assert "boss@staff.example" in page
    assert "I will deal with it" not in page
    assert Alert.objects.unread().count() == 0
    staff.post(f"{ALERTS}{alert.pk}/settle/", {"do": "clear"})
    alert.refresh_from_db()
    assert alert.cleared_at is not None
    assert staff.get(f"{ALERTS}{alert.pk}/settle/").status_code == 405


def test_only_staff_who_may_change_alerts_settle_them(client):
    watcher = UserFactory(is_staff=True)
    watcher.user_permissions.set(Permission.objects.filter(codename="view_alert"))
    client.force_login(watcher)
    raise_alert(key="k", title="Trouble")
    alert = Alert.objects.get()
    assert client.post(f"{ALERTS}{alert.pk}/settle/", {"do": "clear"}).status_code == 403
    assert "It is solved" not in client.get(f"{ALERTS}{alert.pk}/change/").content.decode()
    assert client.post(f"{ALERTS}999999/settle/", {"do": "clear"}).status_code == 404
    alert.refresh_from_db()
    assert alert.cleared_at is None


def test_mails_are_listed_by_subject_with_the_error_in_sight(staff, queue, deliver_due_mails):
    queue(key="sent")
    deliver_due_mails()
    waiting = queue(key="waiting")
    Mail.objects.filter(pk=waiting.pk).update(last_error="Traceback\nSMTPServerDisconnected: gone")
    page = staff.get(MAILS).content.decode()
    assert Mail.objects.get(key="sent").subject in page
    assert "SMTPServerDisconnected: gone" in page
    rows = page.partition("<tbody")[2].rpartition("</tbody>")[0]
    assert "notifications/mail/alert" not in rows


def test_staff_are_told_of_applicants_in_one_mail_for_several(staff, settings, deliver_due_mails):
    for name in ("Ada Byron", "Emmy Noether"):
        apply_to_teach(user=UserFactory(), application=Application(display_name=name))
    [mail] = Mail.objects.filter(to="boss@staff.example")
    assert render(mail).subject.endswith("2 applicants to decide on")
    text = render(mail).text
    teacher = Teacher.objects.get(display_name="Emmy Noether")
    assert f"/admin/accounts/teacher/{teacher.pk}/change/" in text
    assert "status__exact=applied" in text
    approve_teacher(teacher=teacher, by=User.objects.get(email="boss@staff.example"))
    assert Mail.objects.filter(to="boss@staff.example").count() == 1
