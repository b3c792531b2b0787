"""`.env.example` names exactly the variables that are read, so that operators know all of them beforehand."""

import re
import runpy

from demo.stack import CHECKOUT

SHELL = re.compile(r"\$\{([A-Z_]+)")


def test_every_variable_that_is_read_is_explained_and_no_other():
    read = runpy.run_path(str(CHECKOUT / "config" / "settings.py"))["env"].names
    assert set(SHELL.findall((CHECKOUT / "Procfile").read_text())) <= read
    explained = set(re.findall(r"^#?([A-Z][A-Z_]+)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE))
    assert explained == read


def test_pinned_requirements_name_no_registry():
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (CHECKOUT / name).read_text().splitlines()
        assert not [line for line in lines if line.startswith("-") and not line.startswith("-c ")]
        assert not [line for line in lines if "://" in line or "@ " in line]


def test_each_dependency_has_its_reason():
    for name in ("requirements.in", "requirements-dev.in"):
        for line in (CHECKOUT / name).read_text().splitlines():
            assert not line or line.startswith(("#", "-c ")) or " # " in line, line
