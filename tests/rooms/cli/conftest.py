"""A folder of its own to run commands in, with a shop or without."""

import pytest
from click.testing import CliRunner

from assent.cli.app import main
from assent.engine import Engine
from tests.journeys.shop import GOODS, ana, crowd


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run commands in a folder of their own; the answer has `.exit_code`, `.stdout` and `.stderr`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASSENT_STORE", raising=False)
    monkeypatch.delenv("ASSENT_KEY_FILE", raising=False)
    return lambda *line, **named: CliRunner().invoke(main, line, catch_exceptions=False, **named)


@pytest.fixture
def shop(run):
    """Make a store with goods and people through the commands and the engine, trained."""
    assert run("init").exit_code == 0
    with Engine.open("sqlite:///shop.db", create=False) as engine:
        engine.put_items(GOODS)
        engine.take_in(crowd() + ana())
        engine.train()
    return run
