"""Keep the changes of what staff can change. High volumes that keep their own history, such as events, are left out."""

from django.db import migrations

from operations.audit.sql import track

_WORK = ("state", "priority", "attempts", "postponements", "run_after", "last_error", "finished_at")


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0002_keep_the_audit_trail"),
        ("accounts", "0005_tax_numbers_of_teachers"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("bookings", "0015_index_lessons_with_credit"),
        ("catalogue", "0011_included_in_plans"),
        ("courses", "0009_included_in_plans"),
        ("integrations", "0003_selling_scope"),
        ("ledger", "0008_unearned_subscriptions"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("notifications", "0008_acknowledge_alerts"),
        ("pages", "0003_first_texts"),
        ("payments", "0052_gifts"),
        ("subscriptions", "0005_prices_of_items"),
        ("waffle", "0004_update_everyone_nullbooleanfield"),
        ("webhooks", "0001_outgoing_webhooks"),
        ("workshops", "0013_gifts"),
    ]

    operations = [
        # People and what they may do.
        track("accounts_user", "accounts.user", ignore=["last_login"], hide=["password"]),
        track("accounts_user_groups", "accounts.user", key="user_id"),
        track("accounts_user_user_permissions", "accounts.user", key="user_id"),
        track("account_emailaddress", "accounts.user", key="user_id"),
        track("mfa_authenticator", "accounts.user", key="user_id", ignore=["last_used_at"], hide=["data"]),
        track("accounts_teacher", "accounts.teacher"),
        track("auth_group", "auth.group"),
        track("auth_group_permissions", "auth.group", key="group_id"),
        track("integrations_apitoken", "integrations.apitoken", ignore=["last_used_at"], hide=["secret_hash"]),
        track(
            "webhooks_endpoint",
            "webhooks.endpoint",
            ignore=["failing_since", "failures_in_a_row", "paused_until"],
        ),
        track("webhooks_endpointsecret", "webhooks.endpoint", key="endpoint_id", hide=["secret"]),
        # What is sold.
        track("catalogue_subject", "catalogue.subject"),
        track("catalogue_expertise", "accounts.teacher", key="teacher_id"),
        track("bookings_lessonoffer", "bookings.lessonoffer"),
        track("bookings_lessonprice", "bookings.lessonoffer", key="offer_id"),
        track("bookings_availability", "bookings.availability", key="teacher_id"),
        track("bookings_creditterms", "bookings.creditterms", key="teacher_id"),
        track("workshops_workshop", "workshops.workshop", ignore=["is_sold_out", "updated_at"]),
        track("workshops_workshopsession", "workshops.workshop", key="workshop_id"),
        track("workshops_workshopprice", "workshops.workshop", key="workshop_id"),
        track("courses_course", "courses.course"),
        track("courses_courseprice", "courses.course", key="course_id"),
        track("courses_module", "courses.module"),
        track("courses_courselesson", "courses.courselesson"),
        track("courses_quizquestion", "courses.courselesson", key="lesson_id"),
        track("subscriptions_plan", "subscriptions.plan"),
        track("subscriptions_planprice", "subscriptions.planprice"),
        track("pages_pageversion", "pages.pageversion"),
        # Sales and what becomes of them.
        track("payments_order", "payments.order", is_of_sales=True),
        track("payments_orderline", "payments.order", key="order_id", is_of_sales=True),
        track(
            "payments_payment",
            "payments.payment",
            ignore=[*_WORK, "asked_at", "looked_at", "looks", "updated_at"],
            is_of_sales=True,
        ),
        track("payments_gift", "payments.gift", hide=["code_digest"], is_of_sales=True),
        track("bookings_lessonrequest", "bookings.lessonrequest", is_of_sales=True),
        track("bookings_lesson", "bookings.lesson", is_of_sales=True),
        track("workshops_registration", "workshops.registration", is_of_sales=True),
        track("courses_enrolment", "courses.enrolment", ignore=["done_lesson_ids"], is_of_sales=True),
        track("subscriptions_subscription", "subscriptions.subscription", is_of_sales=True),
        # Money.
        track("payments_discountcode", "payments.discountcode", ignore=["used"]),
        track("payments_discountamount", "payments.discountcode", key="code_id"),
        track("payments_refund", "payments.refund", ignore=_WORK),
        track("payments_refundallocation", "payments.refund", key="refund_id"),
        track("payments_salecancellation", "payments.salecancellation"),
        track("payments_dispute", "payments.dispute", ignore=["steps", "updated_at"], is_of_sales=True),
        track("payments_evidencedraft", "payments.dispute", key="dispute_id"),
        track("payments_disputeanswer", "payments.dispute", key="dispute_id", ignore=_WORK),
        track("payments_payout", "payments.payout"),
        track("payments_payoutschedule", "accounts.teacher", key="teacher_id"),
        track("payments_connectedaccount", "payments.connectedaccount", is_of_sales=True),
        track("payments_difference", "payments.difference", is_of_sales=True),
        track("ledger_periodclose", "ledger.periodclose"),
        # Running the site.
        track("waffle_switch", "waffle.switch", ignore=["modified"]),
        track("notifications_alert", "notifications.alert", ignore=["occurrences", "last_seen_at"], is_of_sales=True),
    ]
