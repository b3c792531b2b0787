// One flow by name, through Stripe's client for Node: `node flows.mjs <flow>`, with SANDBOX_URL and SANDBOX_KEY.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import Stripe from 'stripe';

const url = new URL(process.env.SANDBOX_URL);
const key = process.env.SANDBOX_KEY;
const address = { host: url.hostname, port: url.port, protocol: 'http', maxNetworkRetries: 0 };
// This release is for a later version of the API; the sandbox implements stripe-python's version.
const stripe = new Stripe(key, { ...address, apiVersion: '2026-08-26.dahlia' });
const dollars = { amount: 2000, currency: 'usd' };
const byCard = { payment_method_types: ['card'] };
const paidAtOnce = { ...dollars, ...byCard, payment_method: 'pm_card_bypassPending', confirm: true, capture_method: 'automatic' };

async function turn(name, body) {
  const authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
  const answer = await fetch(new URL(`/_sandbox/${name}`, url), {
    method: 'POST', headers: { authorization }, body: JSON.stringify(body),
  });
  assert.equal(answer.status, 200);
}

async function wait(seconds) {
  await turn('clock', { advance: seconds });
  await turn('drain', { timeout: 30 });
}

async function refused(call, expected) {
  await assert.rejects(call, (error) => {
    for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, name);
    assert.match(error.requestId, /^req_/);
    return true;
  });
}

const flows = {
  async checkout_session_paid() {
    const made = await stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [
        { price_data: { currency: 'usd', unit_amount: 2000, product_data: { name: 'Ink & paper' } }, quantity: 2 },
      ],
      success_url: 'http://shop.example/done?session={CHECKOUT_SESSION_ID}',
      metadata: { order: '7' },
    });
    assert.equal(made.status, 'open');
    const paid = { payment_method: 'pm_card_visa', expected_amount: 4000 };
    await stripe.rawRequest('POST', `/v1/payment_pages/${made.id}/confirm`, paid);
    const session = await stripe.checkout.sessions.retrieve(made.id, { expand: ['payment_intent.latest_charge'] });
    assert.equal(session.payment_status, 'paid');
    assert.equal(session.payment_intent.latest_charge.amount_captured, 4000);
    const items = await stripe.checkout.sessions.listLineItems(made.id);
    assert.equal(items.data[0].description, 'Ink & paper');
  },

  async intent_confirmed_and_declined() {
    const made = await stripe.paymentIntents.create({ ...dollars, metadata: { order: '7' } });
    const types = { type: 'StripeCardError', code: 'card_declined', decline_code: 'insufficient_funds', statusCode: 402 };
    const poor = { payment_method: 'pm_card_visa_chargeDeclinedInsufficientFunds', return_url: 'http://shop.example/' };
    await refused(stripe.paymentIntents.confirm(made.id, poor), types);
    const rich = { payment_method: 'pm_card_visa', return_url: 'http://shop.example/' };
    assert.equal((await stripe.paymentIntents.confirm(made.id, rich)).status, 'succeeded');
    const charges = await stripe.charges.list({ payment_intent: made.id });
    assert.deepEqual(charges.data.map((charge) => charge.status), ['succeeded', 'failed']);
  },

  async intent_with_3d_secure() {
    const asking = { payment_method: 'pm_card_threeDSecure2Required', return_url: 'http://shop.example/back' };
    const made = await stripe.paymentIntents.create({ ...dollars, ...asking, confirm: true });
    assert.equal(made.status, 'requires_action');
    const outcome = new URLSearchParams({ outcome: 'pass' });
    const answer = await fetch(made.next_action.redirect_to_url.url, { method: 'POST', body: outcome, redirect: 'manual' });
    assert.match(answer.headers.get('location'), /^http:\/\/shop\.example\/back\?payment_intent=pi_/);
    assert.equal((await stripe.paymentIntents.retrieve(made.id)).status, 'succeeded');
  },

  async payment_refunded() {
    const paid = await stripe.paymentIntents.create(paidAtOnce);
    const refund = await stripe.refunds.create({ payment_intent: paid.id, amount: 500, reason: 'requested_by_customer' });
    assert.equal(refund.status, 'succeeded');
    const charge = await stripe.charges.retrieve(paid.latest_charge);
    assert.deepEqual([charge.amount_refunded, charge.refunded], [500, false]);
    const tooMuch = { payment_intent: paid.id, amount: 1501 };
    await refused(stripe.refunds.create(tooMuch), { type: 'StripeInvalidRequestError', param: 'amount', statusCode: 400 });
  },

  async customer_with_a_saved_card() {
    const customer = await stripe.customers.create({ email: 'ada@example.org', name: 'Ada \u2603' });
    const setup = await stripe.setupIntents.create({
      customer: customer.id, payment_method: 'pm_card_visa', confirm: true, payment_method_types: ['card'],
    });
    assert.equal(setup.status, 'succeeded');
    const cards = await stripe.customers.listPaymentMethods(customer.id);
    assert.deepEqual(cards.data.map((card) => card.id), [setup.payment_method]);
    const again = { ...dollars, customer: customer.id, payment_method: setup.payment_method, off_session: true, ...byCard };
    assert.equal((await stripe.paymentIntents.create({ ...again, confirm: true })).status, 'succeeded');
    assert.equal((await stripe.customers.del(customer.id)).deleted, true);
  },

  async subscription_renewed_and_ended() {
    const start = 1800014400;
    const clock = await stripe.testHelpers.testClocks.create({ frozen_time: start });
    const customer = await stripe.customers.create({ test_clock: clock.id });
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id });
    const price = await stripe.prices.create({
      currency: 'usd', unit_amount: 900, recurring: { interval: 'month' }, product_data: { name: 'Studio' },
    });
    const made = await stripe.subscriptions.create({
      customer: customer.id, default_payment_method: card.id, items: [{ price: price.id }],
    });
    assert.equal(made.status, 'active');
    await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: start + 32 * 24 * 3600 });
    await turn('drain', { timeout: 30 });
    const invoices = await stripe.invoices.list({ subscription: made.id });
    assert.deepEqual(invoices.data.map((invoice) => invoice.status), ['paid', 'paid']);
    assert.equal((await stripe.subscriptions.cancel(made.id)).status, 'canceled');
  },

  async coupon_in_checkout() {
    const coupon = await stripe.coupons.create({ percent_off: 25, duration: 'once' });
    const code = await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id }, code: 'SPRING' });
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [{ price_data: { currency: 'usd', unit_amount: 2000, product_data: { name: 'Ink' } }, quantity: 1 }],
      discounts: [{ promotion_code: code.id }],
      success_url: 'http://shop.example/done',
    });
    assert.deepEqual([session.amount_subtotal, session.amount_total], [2000, 1500]);
    assert.equal(session.total_details.amount_discount, 500);
  },

  async dispute_answered() {
    await stripe.paymentIntents.create({ ...paidAtOnce, payment_method: 'pm_card_createDispute' });
    await wait(10);
    const [dispute] = (await stripe.disputes.list()).data;
    assert.deepEqual([dispute.status, dispute.reason], ['needs_response', 'fraudulent']);
    const evidence = { uncategorized_text: 'losing_evidence' };
    assert.equal((await stripe.disputes.update(dispute.id, { evidence })).status, 'under_review');
    await wait(90 * 24 * 3600);
    assert.equal((await stripe.disputes.retrieve(dispute.id)).status, 'lost');
  },

  async account_and_transfer() {
    await stripe.paymentIntents.create(paidAtOnce);
    const account = await stripe.accounts.create({
      type: 'custom', country: 'US', email: 'ada@example.org', business_type: 'individual',
      business_profile: { mcc: '8299', url: 'https://ada.example.org' },
      capabilities: { card_payments: { requested: true }, transfers: { requested: true } },
      individual: {
        first_name: 'Ada', last_name: 'Byron', email: 'ada@example.org', phone: '+15555550101', ssn_last_4: '0000',
        dob: { day: 10, month: 12, year: 1985 },
        address: { line1: '1 Main Street', city: 'Springfield', state: 'IL', postal_code: '62701', country: 'US' },
      },
      tos_acceptance: { date: 1790000000, ip: '192.0.2.1' },
      settings: { payouts: { schedule: { interval: 'manual' } } },
      external_account: 'btok_us_verified',
    });
    await wait(3);
    assert.equal((await stripe.accounts.retrieve(account.id)).payouts_enabled, true);
    const transfer = await stripe.transfers.create({ amount: 1000, currency: 'usd', destination: account.id });
    const acting = { stripeAccount: account.id };
    const payment = await stripe.charges.retrieve(transfer.destination_payment, {}, acting);
    assert.equal(payment.amount, 1000);
    await stripe.payouts.create({ amount: 400, currency: 'usd' }, acting);
    assert.equal((await stripe.balance.retrieve({}, acting)).available[0].amount, 600);
    await stripe.transfers.createReversal(transfer.id, { amount: 100 });
    assert.equal((await stripe.transfers.retrieve(transfer.id)).amount_reversed, 100);
  },

  async lists_walked_both_ways() {
    const ids = [];
    for (let n = 0; n < 7; n += 1) ids.unshift((await stripe.customers.create({ name: String(n) })).id);
    const walked = [];
    for await (const customer of stripe.customers.list({ limit: 3 })) walked.push(customer.id);
    assert.deepEqual(walked, ids);
    const back = await stripe.customers.list({ limit: 2, ending_before: ids.at(-1) }).autoPagingToArray({ limit: 100 });
    assert.deepEqual(back.map((customer) => customer.id), ids.slice(0, -1).reverse());
    const found = await stripe.customers.search({ query: 'name:"3"' });
    assert.deepEqual(found.data.map((customer) => customer.name), ['3']);
  },

  async same_key_same_answer() {
    const once = { idempotencyKey: 'once' };
    const first = await stripe.customers.create({ name: 'Ada' }, once);
    const again = await stripe.customers.create({ name: 'Ada' }, once);
    assert.equal(again.id, first.id);
    await refused(stripe.customers.create({ name: 'Bob' }, once), { type: 'StripeIdempotencyError', statusCode: 400 });
    const impatient = new Stripe(key, { ...address, maxNetworkRetries: 2, apiVersion: '2026-08-26.dahlia' });
    await turn('faults', { kind: 'drop_reply', path: '/v1/customers' });
    await impatient.customers.create({ name: 'Once only' });
    const all = await stripe.customers.list();
    assert.deepEqual(all.data.map((customer) => customer.name), ['Once only', 'Ada']);
  },

  async errors_by_class() {
    await refused(stripe.charges.retrieve('ch_nothing'), { type: 'StripeInvalidRequestError', code: 'resource_missing' });
    await refused(stripe.customers.create({ flavour: 'x' }), { code: 'parameter_unknown', param: 'flavour' });
    const stranger = new Stripe('sk_test_wrong', { ...address, apiVersion: '2026-08-26.dahlia' });
    await refused(stranger.customers.list(), { type: 'StripeAuthenticationError', statusCode: 401 });
    await refused(stripe.customers.list({}, { stripeAccount: 'acct_1Nobody' }), { type: 'StripePermissionError' });
    await turn('faults', { kind: 'rate_limit', path: '/v1/customers' });
    await refused(stripe.customers.list(), { type: 'StripeRateLimitError', statusCode: 429 });
    await turn('faults', { kind: 'server_error', path: '/v1/customers' });
    await refused(stripe.customers.list(), { type: 'StripeAPIError', statusCode: 500 });
    const answered = async (options) => {
      const client = new Stripe(key, { ...address, ...options });
      return (await client.customers.list()).lastResponse.headers['stripe-version'];
    };
    // The client's own version, which is newer than the account's, and one that the sandbox does not know.
    assert.equal(await answered({}), '2026-10-28.endive');
    assert.equal(await answered({ apiVersion: '2019-12-03' }), '2026-08-26.dahlia');
  },

  async webhook_verified() {
    const delivered = new Promise((resolve) => {
      const server = createServer((request, response) => {
        const parts = [];
        request.on('data', (part) => parts.push(part));
        request.on('end', () => {
          response.end();
          server.close();
          server.closeAllConnections();
          resolve([Buffer.concat(parts), request.headers['stripe-signature']]);
        });
      });
      server.listen(0, '127.0.0.1', () => resolve.listening(server.address().port));
      resolve.listening = async (port) => {
        endpoint = await stripe.webhookEndpoints.create({
          url: `http://127.0.0.1:${port}/hook`, enabled_events: ['payment_intent.succeeded'],
        });
        await stripe.paymentIntents.create({ ...paidAtOnce, metadata: { order: '\u00fcber' } });
      };
    });
    let endpoint;
    const [body, signature] = await delivered;
    const event = stripe.webhooks.constructEvent(body, signature, endpoint.secret);
    assert.equal(event.type, 'payment_intent.succeeded');
    assert.equal(event.data.object.metadata.order, '\u00fcber');
    const forge = () => stripe.webhooks.constructEvent(`${body} `, signature, endpoint.secret);
    assert.throws(forge, { type: 'StripeSignatureVerificationError' });
    const wrong = () => stripe.webhooks.constructEvent(body, signature, 'whsec_other');
    assert.throws(wrong, { type: 'StripeSignatureVerificationError' });
    const known = await stripe.events.retrieve(event.id);
    assert.deepEqual(known.data.object, event.data.object);
  },

  async file_uploaded() {
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=', 'base64',
    );
    const file = { data: png, name: 'evidence.png', type: 'application/octet-stream' };
    const made = await stripe.files.create({ purpose: 'dispute_evidence', file });
    assert.deepEqual([made.filename, made.size, made.purpose], ['evidence.png', png.length, 'dispute_evidence']);
    const link = await stripe.fileLinks.create({ file: made.id });
    const seen = await fetch(link.url);
    assert.deepEqual(Buffer.from(await seen.arrayBuffer()), png);
    assert.equal((await stripe.files.retrieve(made.id)).id, made.id);
  },
};

const [name] = process.argv.slice(2);
if (name) await flows[name]();
else console.log(JSON.stringify(Object.keys(flows)));
