"""The counters and histograms that each process writes to.

docs/decisions/observability.md lists what each label may be. None may come from a visitor: each new value is memory
that is never given back, in every process and in Prometheus.
"""

from prometheus_client import Counter, Gauge, Histogram

# From a page out of a cache to the slowest call to Stripe that a page waits for.
_SECONDS_OF_REQUESTS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SECONDS_OF_WORK = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0)

REQUESTS = Counter(
    "lectern_requests_total",
    "Requests that were answered, by the name of their address.",
    ["route", "method", "status"],
)
REQUEST_SECONDS = Histogram(
    "lectern_request_seconds", "How long answers took.", ["route"], buckets=_SECONDS_OF_REQUESTS
)
WEBHOOKS = Counter(
    "lectern_webhooks_received_total",
    "Requests to the webhook endpoint: stored, repeated, refused, not_stored.",
    ["type", "outcome"],
)
WEBHOOKS_PROCESSED = Counter(
    "lectern_webhooks_processed_total", "Attempts to process a stored event from Stripe.", ["type", "outcome"]
)
WORK = Counter(
    "lectern_work_total",
    "Attempts at durable work: done, failed, postponed, moved, parked, lost.",
    ["kind", "outcome"],
)
WORK_SECONDS = Histogram("lectern_work_seconds", "How long attempts took.", ["kind"], buckets=_SECONDS_OF_WORK)
TASKS = Counter("lectern_tasks_total", "Celery tasks that ended.", ["task", "outcome"])
TASK_SECONDS = Histogram("lectern_task_seconds", "How long tasks took.", ["task"], buckets=_SECONDS_OF_WORK)
# 1 if any living process of this machine counts Stripe as down.
STRIPE_DOWN = Gauge(
    "lectern_stripe_down", "Whether a process counts Stripe as down and does not call it.", multiprocess_mode="livemax"
)
