"""Each metric and label in the dashboard and in the alert rules exists in a real scrape."""

import json
import re

import promql_parser as promql
import pytest
import yaml
from django.db.models.functions import Now
from django.test import Client

from demo.stack import CHECKOUT
from jobs import heartbeats, tasks
from jobs.signals import work_ended
from operations.metrics.instruments import REQUESTS
from operations.tests.test_metrics import TOKEN, read_samples
from payments.models import WebhookEvent
from payments.signals import webhook_answered
from payments.tests.conftest import sample_domain
from payments.tests.factories import paid_order
from webhooks.models import Delivery

__all__ = ["sample_domain"]
FOLDER = CHECKOUT / "deploy" / "observability"
# Added by Prometheus to whatever it reads.
OF_PROMETHEUS = {"instance", "job"}


@pytest.fixture
def exposed(db, settings, sample_domain):
    """The labels of every metric of a site on which everything has happened once."""
    settings.METRICS_TOKEN = TOKEN
    paid_order()
    heartbeats.note(name="jobs.sweep", at=Now())
    webhook_answered.send(WebhookEvent, event_type="refund.created", outcome="stored")
    work_ended.send(WebhookEvent, work=WebhookEvent(type="refund.created"), outcome="done", seconds=0.1)
    work_ended.send(Delivery, work=Delivery(), outcome="parked", seconds=0.1)
    tasks.sweep.apply()
    Client().get("/healthz")
    Client().get("/canary/")
    text = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()
    labels = {"up": {"job"}}
    for name, *pairs in read_samples(text):
        labels.setdefault(name, set()).update(label for label, _ in pairs)
    return labels


def rules():
    text = (FOLDER / "alert-rules.yml").read_text()
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def panels():
    return json.loads((FOLDER / "grafana-dashboard.json").read_text())["panels"]


def expressions():
    yield from ((rule["alert"], rule["expr"]) for rule in rules())
    yield from ((panel["title"], target["expr"]) for panel in panels() for target in panel["targets"])


def parts_of(expression):
    """The expression and everything in it."""
    yield expression
    inner = [getattr(expression, name, None) for name in ("lhs", "rhs", "expr", "vector_selector")]
    for part in [*inner, *(getattr(expression, "args", None) or ())]:
        if part is not None:
            yield from parts_of(part)


def unknown_in(text, exposed):
    parts = list(parts_of(promql.parse(text)))
    selectors = [part for part in parts if isinstance(part, promql.VectorSelector)]
    assert selectors, text
    for selector in selectors:
        if selector.name not in exposed:
            yield selector.name
            continue
        for matcher in selector.matchers.matchers:
            if matcher.name not in exposed[selector.name] | OF_PROMETHEUS:
                yield f"{selector.name}{{{matcher.name}}}"
    labels = set().union(*(exposed.get(selector.name, set()) for selector in selectors)) | OF_PROMETHEUS
    for part in parts:
        if isinstance(part, promql.AggregateExpr) and part.modifier:
            yield from (f"by ({label}) in {text}" for label in part.modifier.labels if label not in labels)


def test_every_metric_and_label_that_is_asked_for_is_exposed(exposed):
    asked = list(expressions())
    assert len(asked) > 30
    assert {title: unknown for title, text in asked if (unknown := list(unknown_in(text, exposed)))} == {}


def test_a_metric_or_label_that_is_not_exposed_would_be_found(exposed):
    assert list(unknown_in("rate(lectern_request_total[5m])", exposed)) == ["lectern_request_total"]
    assert list(unknown_in('lectern_requests_total{path="/"}', exposed)) == ["lectern_requests_total{path}"]
    assert list(unknown_in("sum by (path) (lectern_requests_total)", exposed)) == [
        "by (path) in sum by (path) (lectern_requests_total)"
    ]


def test_every_metric_is_on_the_dashboard(exposed):
    shown = {
        re.sub(r"_(bucket|sum|count|created)$", "", part.name)
        for panel in panels()
        for target in panel["targets"]
        for part in parts_of(promql.parse(target["expr"]))
        if isinstance(part, promql.VectorSelector)
    }
    ours = {
        re.sub(r"_(bucket|sum|count)$", "", name)
        for name in exposed
        if name.startswith("lectern_") and not name.endswith("_created")
    }
    assert ours - shown == set()


def test_every_value_that_a_rule_selects_may_occur(exposed):
    kinds = {matcher.value for _, text in expressions() for part in parts_of(promql.parse(text))
             if isinstance(part, promql.VectorSelector) for matcher in part.matchers.matchers if matcher.name == "kind"}  # fmt: skip
    from jobs.registry import work_models

    assert kinds <= {model._meta.label for model in work_models()}
    assert {"outcome", "type"} == set(exposed["lectern_webhooks_received_total"])
    assert REQUESTS._labelnames == ("route", "method", "status")


def test_rules_and_panels_are_complete_and_named_once():
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "warn"}
        assert rule["annotations"]["summary"].endswith((".", "?"))
    places = [tuple(panel["gridPos"].values()) for panel in panels()]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in panels()}) == len(places)
