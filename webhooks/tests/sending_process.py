"""A worker of its own, which sends what is due: `python -m webhooks.tests.sending_process`. Tests kill it."""

import django


def main() -> None:
    django.setup()
    from jobs import runner
    from webhooks.models import Delivery
    from webhooks.tests import factories  # noqa: F401  # registers the kind of event

    runner.drain(Delivery, seconds=60)


if __name__ == "__main__":
    main()
