"""The guide is true: the examples of its pages are run as they stand, on stores of their own."""

import re

import pytest

from assent import Engine
from docs.render import guide
from tests.house.pages import blocks, run_python, run_shell
from tests.rooms.web.server import start_server

PAGES = {path.stem: path.read_text(encoding="utf-8") for path in guide.pages()}
SERVED = "localhost:8787"


def shell_of(page: str, *, served: bool) -> str:
    """Return a page's lines of a shell: those that ask a server, or the others."""
    return "\n".join(block for block in blocks(page, "bash") if (SERVED in block) == served)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Serve a new store, and give what the examples call it by: where it is, and a server key."""
    store = f"sqlite:///{tmp_path_factory.mktemp('served') / 'shop.db'}"
    with Engine.open(store) as shop:
        key = shop.keys.make("server", "guide")
    with start_server(store) as served:
        yield served.url.removeprefix("http://"), key


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if blocks(page, "python")])
def test_the_python_examples_run(name, tmp_path):
    """A page's blocks are one program, with no more than the public package, and it ends well."""
    program = "\n".join(blocks(PAGES[name], "python"))
    assert set(re.findall(r"\bassent[\w.]* import\b", program)) == {"assent import"}
    assert run_python(program, tmp_path)


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if shell_of(page, served=False)])
def test_the_commands_run(name, tmp_path):
    """Each command that a page shows ends well, one after another in one folder."""
    assert run_shell(shell_of(PAGES[name], served=False), tmp_path)


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if shell_of(page, served=True)])
def test_the_requests_are_answered(name, tmp_path, server):
    """A server answers each request that a page shows, and none with an error."""
    address, key = server
    (tmp_path / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n")
    example = shell_of(PAGES[name], served=True).replace(SERVED, address)
    assert run_shell(example, tmp_path, SECRET=key, CURL_HOME=str(tmp_path))


def test_a_page_is_told_by_its_title_and_first_sentence():
    """The index takes the first sentence, however it is broken over lines."""
    assert guide.opening("# Keys\n\nKeys let\nprograms in. They are secret.\n\nMore.\n") == (
        "Keys",
        "Keys let programs in.",
    )
