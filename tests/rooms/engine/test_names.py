"""The public names of the package, and the nouns of an open shop."""

import dataclasses
import pkgutil
from importlib import import_module

import pytest

import assent
from assent.engine.capabilities import Capabilities
from assent.terms import answers, errors


def every_answer():
    """Return every answer that any act gives, by its name."""
    modules = [import_module(each.name) for each in pkgutil.iter_modules(answers.__path__, f"{answers.__name__}.")]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if dataclasses.is_dataclass(value) and value.__module__ == module.__name__
    }


def test_every_answer_and_every_error_is_a_public_name():
    """`dir(assent)` shows each, and each is what its room defines."""
    shown = dir(assent)
    for name, value in every_answer().items():
        assert name in shown
        assert getattr(assent, name) is value
    for name in errors.__all__:
        assert name in shown
        assert getattr(assent, name) is getattr(errors, name)
    assert {"Engine", "Recommender", "Settings"} <= set(shown)


def test_names_are_imported_from_the_package():
    """One line is enough for an answer, an error and the engine."""
    from assent import Consents, Decision, Engine, NotFound

    assert {Consents.__name__, Decision.__name__, Engine.__name__, NotFound.__name__} <= set(dir(assent))


@pytest.mark.parametrize("name", ["nonsense", "capabilities", "Any", "__nonsense__"])
def test_a_name_that_is_not_public_is_an_attribute_error(name):
    """Also one that the room which answers come from uses itself."""
    with pytest.raises(AttributeError, match=name):
        getattr(assent, name)


def test_an_open_shop_has_every_capability_under_its_noun(engine):
    """Each noun is one object with the acts of the file of that name."""
    nouns = {name: value for name, value in vars(engine).items() if not name.startswith("_")}
    assert isinstance(engine, Capabilities)
    assert {"catalog", "people", "server"} <= set(nouns)
    assert {name: type(acts).__module__ for name, acts in nouns.items()} == {n: f"assent.engine.{n}" for n in nouns}
