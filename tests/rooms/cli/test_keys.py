"""`assent keys`: API keys for programs."""

import json

from assent.engine import Engine


def test_a_made_key_has_the_role_that_was_asked_for(run):
    """The key works, is shown once, and is told as JSON to programs."""
    run("init")
    made = json.loads(run("keys", "make", "--role", "officer", "--label", "rights desk", "--json").stdout)
    assert (made["role"], made["label"]) == ("officer", "rights desk")
    shown = run("keys", "make", "--role", "monitor").stdout
    with Engine.open("sqlite:///shop.db", create=False) as engine:
        assert engine.keys.role(made["key"]) == "officer"
        assert engine.keys.role(shown.split()[-1]) == "monitor"


def test_a_role_that_does_not_exist_is_an_error_with_advice(run):
    """The advice names the roles there are."""
    run("init")
    result = run("keys", "make", "--role", "boss")
    assert result.exit_code == 1
    assert "browser, server, officer, monitor" in " ".join(result.stderr.split())


def test_a_key_needs_a_role(run):
    """Without `--role` the command was not understood."""
    assert run("keys", "make").exit_code == 2
