"""How Celery behaves: its messages only wake workers; durable work is in PostgreSQL.

Part of the settings, which import all of it.
"""

from kombu import Exchange, Queue

CELERY_BROKER_TRANSPORT = "jobs.broker:Transport"
# The anonymous exchange routes only by queue name. A named one keeps its bindings in Redis, and after a flush all
# messages would be lost until the workers reconnect.
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(""), routing_key=name)
    for name in ("urgent", "looks", "stripe", "webhooks", "default", "background")
]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_IGNORE_RESULT = True
# A message is removed from the queue only when its task has ended, however it ends.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# For scheduled tasks. Drains have their own limits, which follow from the leases of their work.
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
# Redis may be down for a day: workers and beat reconnect by themselves and need no restart.
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
# A task that runs when Redis goes down is completed: its row records that, and a redelivered message finds no work.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Publishers give up quickly, since the sweep finds the rows.
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "socket_keepalive": True,
    "max_retries": 0,
    # A message whose worker was lost is redelivered after this many seconds. Longer than every time limit, so that no
    # scheduled task runs twice at once. Durable work does not wait for it, since rows have their own leases.
    "visibility_timeout": 300,
}
CELERY_BEAT_SCHEDULER = "jobs.beat:BoundedScheduler"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
