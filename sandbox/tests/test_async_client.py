"""The main flows with stripe-python's asynchronous client."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
import stripe

from sandbox.tests.billing_fixtures import FEBRUARY, HOUR, START
from sandbox.tests.connected import DAY, custom
from sandbox.tests.sandbox_process import KEY

# stripe-python passes its body to httpx under a name that httpx has deprecated for text.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
DOLLARS = {"amount": 2000, "currency": "usd"}
PAID = DOLLARS | {"payment_method": "pm_card_visa", "confirm": True, "payment_method_types": ["card"]}


@pytest.fixture
def run(sandbox):
    """Run a flow with its own client, and close that client."""

    def run_flow(flow: Callable[[stripe.StripeClient], Awaitable[None]]) -> None:
        async def with_client() -> None:
            http = stripe.HTTPXClient()
            client = stripe.StripeClient(
                KEY, base_addresses={"api": sandbox.url}, http_client=http, max_network_retries=0
            )
            try:
                await flow(client)
            finally:
                await http.close_async()

        asyncio.run(with_client())

    return run_flow


def test_a_session_is_paid(sandbox, run):
    async def flow(client):
        made = await client.v1.checkout.sessions.create_async(
            {
                "mode": "payment",
                "line_items": [
                    {
                        "price_data": {"currency": "usd", "unit_amount": 2000, "product_data": {"name": "A"}},
                        "quantity": 2,
                    }
                ],
                "success_url": "http://shop.example/done",
                "metadata": {"order": "7"},
            }
        )
        path = f"/v1/payment_pages/{made.id}/confirm"
        answer = await client.raw_request_async("post", path, payment_method="pm_card_visa", expected_amount=4000)
        assert answer.code == 200
        paid = await client.v1.checkout.sessions.retrieve_async(made.id, {"expand": ["payment_intent.latest_charge"]})
        assert (paid.status, paid.payment_status, paid.metadata["order"]) == ("complete", "paid", "7")
        assert paid.payment_intent.latest_charge.amount == 4000
        items = await client.v1.checkout.sessions.line_items.list_async(made.id)
        assert [item.amount_total for item in items.data] == [4000]

    run(flow)


def test_an_intent_succeeds_after_authentication(sandbox, run):
    async def flow(client):
        back = {"payment_method": "pm_card_threeDSecure2Required", "return_url": "http://shop.example/back"}
        made = await client.v1.payment_intents.create_async(DOLLARS | {"confirm": True} | back)
        assert (made.status, made.next_action.type) == ("requires_action", "redirect_to_url")
        await asyncio.to_thread(sandbox.post, f"/3ds/{made.id}", outcome="pass")
        assert (await client.v1.payment_intents.retrieve_async(made.id)).status == "succeeded"

    run(flow)


def test_concurrent_payments_over_one_client(sandbox, run):
    async def flow(client):
        paid = await asyncio.gather(*(client.v1.payment_intents.create_async(PAID) for _ in range(20)))
        assert {intent.status for intent in paid} == {"succeeded"}
        assert len({intent.latest_charge for intent in paid}) == 20

    run(flow)


def test_a_payment_is_refunded(run):
    async def flow(client):
        paid = await client.v1.payment_intents.create_async(PAID)
        refund = await client.v1.refunds.create_async({"payment_intent": paid.id, "amount": 500})
        assert (refund.status, refund.amount) == ("succeeded", 500)
        charge = await client.v1.charges.retrieve_async(paid.latest_charge, {"expand": ["refunds"]})
        assert (charge.amount_refunded, [one.id for one in charge.refunds.data]) == (500, [refund.id])

    run(flow)


def test_a_dispute_is_won_with_evidence(sandbox, run):
    async def flow(client):
        await client.v1.payment_intents.create_async(PAID | {"payment_method": "pm_card_createDispute"})
        await asyncio.to_thread(sandbox.advance, 10)
        dispute = (await client.v1.disputes.list_async()).data[0]
        winning = {"evidence": {"uncategorized_text": "winning_evidence"}}
        assert (await client.v1.disputes.update_async(dispute.id, winning)).status == "under_review"
        await asyncio.to_thread(sandbox.advance, 90 * DAY)
        assert (await client.v1.disputes.retrieve_async(dispute.id)).status == "won"

    run(flow)


def test_a_subscription_renews_with_its_test_clock(sandbox, run):
    async def flow(client):
        clock = await client.v1.test_helpers.test_clocks.create_async({"frozen_time": START})
        customer = await client.v1.customers.create_async({"test_clock": clock.id})
        card = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
        monthly = {"currency": "usd", "unit_amount": 900, "recurring": {"interval": "month"}}
        price = await client.v1.prices.create_async(monthly | {"product_data": {"name": "Studio"}})
        made = await client.v1.subscriptions.create_async(
            {"customer": customer.id, "default_payment_method": card.id, "items": [{"price": price.id}]}
        )
        assert made.status == "active"
        await client.v1.test_helpers.test_clocks.advance_async(clock.id, {"frozen_time": FEBRUARY + 2 * HOUR})
        await asyncio.to_thread(sandbox.drain)
        invoices = await client.v1.invoices.list_async({"subscription": made.id})
        assert [(invoice.status, invoice.billing_reason) for invoice in invoices.data] == [
            ("paid", "subscription_cycle"),
            ("paid", "subscription_create"),
        ]

    run(flow)


def test_funds_are_transferred_and_paid_out(sandbox, client, run):
    account = custom(client)
    sandbox.advance(3)
    of = {"stripe_account": account.id}

    async def flow(client):
        await client.v1.payment_intents.create_async(
            PAID | {"payment_method": "pm_card_bypassPending", "capture_method": "automatic"}
        )
        moved = {"amount": 1000, "currency": "usd", "destination": account.id}
        transfer = await client.v1.transfers.create_async(moved)
        assert transfer.destination == account.id
        payout = await client.v1.payouts.create_async({"amount": 400, "currency": "usd"}, of)
        assert payout.status == "pending"
        balance = await client.v1.balance.retrieve_async(None, of)
        assert balance.available[0].amount == 600
        reversal = await client.v1.transfers.reversals.create_async(transfer.id, {"amount": 100})
        assert reversal.amount == 100

    run(flow)


def test_lists_are_paged_in_both_directions(run):
    async def flow(client):
        made = [(await client.v1.customers.create_async({"name": str(n)})).id for n in range(7)][::-1]
        page = await client.v1.customers.list_async({"limit": 3})
        assert [one.id async for one in page.auto_paging_iter()] == made
        newer = await client.v1.customers.list_async({"limit": 2, "ending_before": made[-1]})
        walked = [one.id async for one in newer.auto_paging_iter()]
        assert walked == made[:-1][::-1]

    run(flow)


@pytest.mark.parametrize(
    ("error", "status", "call"),
    [
        (stripe.CardError, 402, lambda v1: v1.payment_intents.create_async(
            PAID | {"payment_method": "pm_card_chargeDeclinedExpiredCard"})),
        (stripe.InvalidRequestError, 400, lambda v1: v1.customers.create_async({"flavour": "x"})),
        (stripe.InvalidRequestError, 404, lambda v1: v1.charges.retrieve_async("ch_nothing")),
        (stripe.AuthenticationError, 401, lambda v1: v1.customers.list_async(None, {"api_key": "sk_test_wrong"})),
        (stripe.PermissionError, 403, lambda v1: v1.customers.list_async(None, {"stripe_account": "acct_1Nobody"})),
    ],
)  # fmt: skip
def test_each_error_is_raised_as_its_class(run, error, status, call):
    async def flow(client):
        with pytest.raises(error) as raised:
            await call(client.v1)
        assert raised.value.http_status == status
        assert raised.value.request_id.startswith("req_")
        assert json.loads(raised.value.http_body)["error"]["message"]

    run(flow)


@pytest.mark.parametrize(("kind", "error"), [("rate_limit", stripe.RateLimitError), ("server_error", stripe.APIError)])
def test_server_errors_are_raised_as_their_class(sandbox, run, kind, error):
    sandbox.switch("faults", kind=kind, path="/v1/customers")

    async def flow(client):
        with pytest.raises(error):
            await client.v1.customers.create_async()

    run(flow)


def test_after_a_dropped_reply_the_same_key_returns_the_result(sandbox, run):
    sandbox.switch("faults", kind="drop_reply", path="/v1/customers")

    async def flow(client):
        key = {"idempotency_key": "once"}
        with pytest.raises(stripe.APIConnectionError):
            await client.v1.customers.create_async({"name": "Ada"}, key)
        again = await client.v1.customers.create_async({"name": "Ada"}, key)
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        assert [one.id for one in (await client.v1.customers.list_async()).data] == [again.id]
        with pytest.raises(stripe.IdempotencyError):
            await client.v1.customers.create_async({"name": "Bob"}, key)

    run(flow)
