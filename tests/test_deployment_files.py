"""The files in deploy/ agree with the code: its command lines, queues, variables, addresses and ports."""

import configparser
import re
import shlex
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest
import yaml

from config.celery_settings import CELERY_TASK_QUEUES
from config.environment import InvalidVariable
from demo.stack import CHECKOUT
from payments.webhook.middleware import WEBHOOK_PATHS
from tests.test_every_variable import COMPLETE, load

DEPLOY = CHECKOUT / "deploy"
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yml"))
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
# What production needs, as the tests of the settings find out below.
REQUIRED = {"SECRET_KEY", "BASE_URL", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "PAYMENTS_MODE", "STRIPE_SECRET_KEY",
            "STRIPE_WEBHOOK_SECRETS"}  # fmt: skip
# Read by the servers beside Lectern.
OF_OTHERS = {"POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB", "SITE_HOST", "WEB", "MEDIA"}


def plain(line):
    """A command line without what may differ between machines: folders, and how many jobs at once."""
    line = re.sub(r"\$\{\w+(:-\d+)?\}|(?<=-c )\d+", "N", line).replace("%%h", "%h")
    words = [word.removeprefix("/srv/lectern/venv/bin/") for word in shlex.split(line)]
    return tuple(word for word in words if word != "nice")


def procfile():
    lines = (CHECKOUT / "Procfile").read_text().splitlines()
    return {name: plain(line.strip()) for name, line in (line.split(":", 1) for line in lines)}


def compose():
    return yaml.safe_load((DEPLOY / "compose.yml").read_text())["services"]


def ours():
    return {name: service for name, service in compose().items() if service["image"].startswith("lectern")}


def manifests():
    return [document for path in KUBERNETES for document in yaml.safe_load_all(path.read_text()) if document]


def pods():
    found = [one for one in manifests() if one.get("kind") in {"Deployment", "Job"}]
    return {one["metadata"]["name"].removeprefix("lectern-"): one["spec"]["template"]["spec"] for one in found}


def unit(path):
    parser = configparser.RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read_string(path.read_text())
    return parser


@pytest.fixture(scope="module")
def known():
    return load()["env"].names


def test_each_way_runs_exactly_the_processes_of_the_procfile():
    expected = procfile()
    expected["migrate"] = expected.pop("release")
    assert {name: plain(shlex.join(service["command"])) for name, service in ours().items()} == expected
    assert {name: plain(shlex.join(pod["containers"][0]["command"])) for name, pod in pods().items()} == expected
    units = {path.stem.removeprefix("lectern-"): plain(unit(path)["Service"]["ExecStart"]) for path in UNITS}
    assert units == expected


def test_the_images_own_command_is_the_web_server():
    (command,) = re.findall(r"^CMD (\[.+\])$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert tuple(yaml.safe_load(command)) == procfile()["web"]


def test_every_queue_has_workers_and_no_other_is_named():
    for commands in (procfile().values(), (plain(shlex.join(one["command"])) for one in ours().values())):
        named = [queue for line in commands if "-Q" in line for queue in line[line.index("-Q") + 1].split(",")]
        assert sorted(named) == sorted(queue.name for queue in CELERY_TASK_QUEUES)


def test_autoscaling_asks_for_the_age_of_the_queues_that_the_workers_serve():
    for scaler in (one for one in manifests() if one["kind"] == "HorizontalPodAutoscaler"):
        name = scaler["spec"]["scaleTargetRef"]["name"].removeprefix("lectern-")
        command = pods()[name]["containers"][0]["command"]
        (metric,) = scaler["spec"]["metrics"]
        if "-Q" not in command:
            assert metric["type"] == "Resource"
            continue
        (expression,) = metric["external"]["metric"]["selector"]["matchExpressions"]
        assert ",".join(expression["values"]) == command[command.index("-Q") + 1]
        assert metric["external"]["metric"]["name"] == "lectern_queue_age_seconds"


def test_the_required_variables_are_those_without_which_production_refuses_to_start():
    for name in COMPLETE:
        if name in REQUIRED:
            with pytest.raises(InvalidVariable, match=name):
                load(**{name: ""})
        elif name != "LECTERN_ENV":
            load(**{name: ""})


def test_compose_names_every_required_variable_and_no_unknown_one(known):
    for service in ours().values():
        assert set(service["environment"]) >= REQUIRED
        assert set(service["environment"]) <= known
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", (DEPLOY / "compose.yml").read_text()))
    assert asked <= known | OF_OTHERS


def test_kubernetes_names_every_required_variable_and_no_unknown_one(known):
    (settings,) = (one["data"] for one in manifests() if one["kind"] == "ConfigMap")
    comment = (DEPLOY / "kubernetes" / "settings.yml").read_text().partition("apiVersion")[0]
    secrets = set(re.findall(r"[A-Z][A-Z_]{5,}", comment))
    assert set(settings) <= known
    assert secrets <= known
    assert set(settings) | secrets >= REQUIRED
    for pod in pods().values():
        (container,) = pod["containers"]
        assert container["envFrom"] == [{"configMapRef": {"name": "lectern"}}, {"secretRef": {"name": "lectern"}}]
        assert {one["name"] for one in container.get("env", [])} <= known


def test_the_settings_of_compose_and_kubernetes_let_production_start():
    filled = COMPLETE | {"METRICS_TOKEN": "sixteen-letters-at-least"}
    (settings,) = (one["data"] for one in manifests() if one["kind"] == "ConfigMap")
    load(**filled | settings)
    values = ours()["web"]["environment"]
    load(**filled | {name: value for name, value in values.items() if "${" not in value})
    assert urlsplit(values["DATABASE_URL"].replace("${POSTGRES_PASSWORD:?}", "x")).port == 6432


def test_units_read_one_file_of_settings_and_set_only_known_variables(known):
    for path in UNITS:
        service = unit(path)["Service"]
        assert service["EnvironmentFile"] == "/etc/lectern.env"
        set_here = re.findall(r"^Environment=(\w+)=", path.read_text(), re.MULTILINE)
        assert set(set_here) <= known | {"PATH"}
        read = re.findall(r"\$\{(\w+)\}", service["ExecStart"])
        assert set(read) <= set(set_here), "systemd knows no defaults"


def test_no_process_of_ours_runs_as_root_or_can_write_its_own_code():
    docker = (DEPLOY / "Dockerfile").read_text()
    assert docker.count("\nFROM ") == 2 - docker.startswith("FROM ")
    assert re.search(r"^USER 10001$", docker.rpartition("FROM ")[2], re.MULTILINE)
    for service in ours().values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    for pod in pods().values():
        assert pod["securityContext"]["runAsNonRoot"]
        locked = pod["containers"][0]["securityContext"]
        assert locked["readOnlyRootFilesystem"]
        assert locked["capabilities"] == {"drop": ["ALL"]}
    for path in UNITS:
        service = unit(path)["Service"]
        assert (service["User"], service["ProtectSystem"]) == ("lectern", "strict")


def probes_of(container):
    return {name: probe["httpGet"]["path"] for name, probe in container.items() if name.endswith("Probe")}


def test_probes_ask_addresses_that_exist_on_ports_that_are_open():
    for name, pod in pods().items():
        (container,) = pod["containers"]
        named = {port["name"] for port in container.get("ports", [])}
        asked = [probe["httpGet"]["port"] for key, probe in container.items() if key.endswith("Probe")]
        assert set(asked) <= named
        if name == "web":
            assert probes_of(container)["readinessProbe"] == "/readyz"
            assert probes_of(container)["livenessProbe"] == "/healthz"
        elif name not in {"beat", "migrate"}:
            # Only web processes know whether they are ready; a worker without work harms no one.
            assert probes_of(container) == {"startupProbe": "/healthz", "livenessProbe": "/healthz"}
            (port,) = container["ports"]
            assert {"name": "METRICS_PORT", "value": str(port["containerPort"])} in container["env"]


def test_a_pod_that_ends_gets_the_time_that_its_process_takes():
    from config import celery_settings
    from config.gunicorn import graceful_timeout

    for name, pod in pods().items():
        if name == "web":
            assert pod["terminationGracePeriodSeconds"] >= graceful_timeout + 8
        elif name not in {"beat", "migrate"}:
            assert pod["terminationGracePeriodSeconds"] > celery_settings.CELERY_TASK_TIME_LIMIT


def test_what_belongs_together_in_kubernetes_has_the_same_names():
    deployments = {one["metadata"]["name"]: one for one in manifests() if one["kind"] == "Deployment"}
    for one in manifests():
        if one["kind"] == "HorizontalPodAutoscaler":
            deployment = deployments[one["spec"]["scaleTargetRef"]["name"]]
            assert one["spec"]["minReplicas"] == deployment["spec"]["replicas"]
        if one["kind"] == "PodDisruptionBudget":
            deployment = deployments[one["metadata"]["name"]]
            assert one["spec"]["selector"] == deployment["spec"]["selector"]
            assert deployment["spec"]["replicas"] > one["spec"]["minAvailable"]
    for deployment in deployments.values():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert labels == deployment["spec"]["selector"]["matchLabels"]
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    assert set(listed) == {path.name for path in KUBERNETES} - {"migrate.yml"}


def test_proxies_limit_sign_in_and_every_address_of_webhooks():
    nginx = (DEPLOY / "proxy" / "nginx.conf").read_text()
    patterns = re.findall(r"location ~ (\S+) \{\n\s+client_max_body_size 1m;\n\s+limit_req zone=webhooks", nginx)
    assert all(any(re.match(pattern, path) for pattern in patterns) for path in WEBHOOK_PATHS)
    assert "location /accounts/ { limit_req zone=sign_in" in nginx
    caddy = (DEPLOY / "proxy" / "Caddyfile").read_text()
    (line,) = re.findall(r"@webhooks path (.+)", caddy)
    assert set(line.split()) == WEBHOOK_PATHS
    limits = {}
    for one in (one for one in manifests() if one["kind"] == "Ingress"):
        for rule in one["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                limits[path["path"]] = one["metadata"].get("annotations", {})
    assert "nginx.ingress.kubernetes.io/limit-rpm" in limits["/accounts"]
    for path in WEBHOOK_PATHS:
        assert "nginx.ingress.kubernetes.io/limit-rps" in limits[path.rstrip("/")]


def test_the_example_of_the_documentation_is_the_file_for_nginx():
    (example,) = re.findall(r"```nginx\n(.+?)```", (CHECKOUT / "docs" / "proxy.md").read_text(), re.DOTALL)
    assert (DEPLOY / "proxy" / "nginx.conf").read_text().partition("\n")[2] == example


def test_the_pooler_pools_transactions_where_compose_expects_it():
    parser = configparser.RawConfigParser(comment_prefixes=(";", "#"))
    parser.read(DEPLOY / "pgbouncer" / "pgbouncer.ini")
    settings: Mapping[str, str] = parser["pgbouncer"]
    assert settings["pool_mode"] == "transaction"
    assert int(settings["default_pool_size"]) + int(settings["reserve_pool_size"]) < 100, "PostgreSQL's default"
    address = urlsplit(ours()["web"]["environment"]["DATABASE_URL"].replace("${POSTGRES_PASSWORD:?}", "x"))
    assert (address.hostname, str(address.port)) == ("pgbouncer", settings["listen_port"])
    assert ours()["web"]["environment"]["DATABASE_POOLED"] == "1"


def test_prometheus_reads_every_process_that_counts():
    text = (DEPLOY / "observability" / "prometheus.yml").read_text()
    (job,) = yaml.safe_load(text)["scrape_configs"]
    (static,) = job["static_configs"]
    workers = {f"{name}:9100" for name, line in procfile().items() if "worker" in line}
    assert set(static["targets"]) == {"web:8000", *workers}
