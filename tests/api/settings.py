"""The settings of the tests for the web server that they start: requests are not limited, since tests send thousands."""

from tests.settings import *  # noqa: F403

REST_FRAMEWORK = REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": {"anon": "1000000/s", "user": "1000000/s"}}  # noqa: F405
