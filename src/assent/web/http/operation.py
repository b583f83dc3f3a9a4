"""Operations: each is one method of one route, declared beside its handler; routes and OpenAPI are made of them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from assent.web.http import policies
from assent.web.http.auth import PUBLIC
from assent.web.http.fields import PARAMETERS

if TYPE_CHECKING:
    from assent.engine import Engine
    from assent.terms.errors import AssentError
    from assent.web.http.call import Call

Method = Literal["GET", "PUT", "POST", "DELETE"]
Json = dict[str, Any]

T = TypeVar("T")

_PARAMETER = re.compile(r"\{(\w+)\}")


class Tag(NamedTuple):
    """The heading of one capability's routes: its name, and a sentence about it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Described:
    """A body that no shape of ours can express: a word for the docs, and a function that writes its JSON schema.

    `schema` is given the engine and the document's named schemas, among them those of `shapes`, which it may change.
    """

    word: str
    schema: Callable[[Engine, dict[str, Json]], Json]
    shapes: Sequence[type[Any]] = ()
    media: str = "application/json"
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one route.

    `act` is what a key's role must allow (`assent.engine.ROLES`), or `PUBLIC`; with `write_key` the key may also stand
    in the body, and the handler asks for leave itself (`Call.admit`). `answer` is the type of the answer, None for an
    empty one. `errors` come on top of those that every route of its kind has. `field` is the type of the path's
    parameter. A `lean` operation goes past the framework; it is the only one of its path, which has no parameter. With
    `cross_origin` pages of other origins may call it.
    """

    name: str
    method: Method
    path: str
    act: str
    summary: str
    handler: Callable[[Call], Awaitable[object]]
    answer: type[Any] | None
    status: int
    media: str
    query: type[Any] | None
    body: type[Any] | Described | None
    errors: tuple[type[AssentError], ...]
    field: Any
    headers: Mapping[str, str]
    surface: policies.SurfaceHeaders
    write_key: bool
    lean: bool
    cross_origin: bool

    @property
    def public(self) -> bool:
        """Tell whether the operation needs no key."""
        return self.act == PUBLIC

    @property
    def guarded(self) -> bool:
        """Tell whether the key must be in the headers, where it is checked before the handler is called."""
        return not (self.public or self.write_key)

    @property
    def parameter(self) -> str | None:
        """Return the name of the path's parameter, None for a path without one."""
        found = _PARAMETER.search(self.path)
        return None if found is None else found[1]


def operation(
    method: Method,
    path: str,
    *,
    act: str,
    answer: type[T] | None = None,
    status: int = 200,
    media: str = "application/json",
    query: type[Any] | None = None,
    body: type[Any] | Described | None = None,
    errors: tuple[type[AssentError], ...] = (),
    field: Any = None,
    headers: Mapping[str, str] | None = None,
    surface: policies.SurfaceHeaders = policies.API,
    write_key: bool = False,
    lean: bool = False,
    cross_origin: bool = False,
    name: str | None = None,
    summary: str | None = None,
) -> Callable[[Callable[[Call], Awaitable[T | bytes | None]]], Operation]:
    """Make the function below an operation: its name is the operation's, its docstring's first paragraph the summary.

    The function returns an `answer`, or one that is bytes already. The arguments are the fields of `Operation`; `field`
    need not be given for a parameter that is called by its kind (`fields.PARAMETERS`). Raises `ValueError` for a path
    with more than one parameter, with one that is not a whole segment, is `lean`, or has no field.
    """
    found = _PARAMETER.findall(path)
    if len(found) > 1 or (found and f"/{{{found[0]}}}/" not in f"{path}/"):
        raise ValueError(f"{path} has more than one name in it, or a name that is not a whole segment.")
    if found and lean:
        raise ValueError(f"{path} has a name, which a lean operation would not lift out.")
    if found and field is None:
        field = PARAMETERS.get(found[0])
        if field is None:
            raise ValueError(f"{path} has a name whose field is not declared.")

    def declare(handler: Callable[[Call], Awaitable[T | bytes | None]]) -> Operation:
        return Operation(
            name=name or handler.__name__,
            method=method,
            path=path,
            act=act,
            summary=summary or (inspect.getdoc(handler) or "").partition("\n\n")[0],
            handler=handler,
            answer=answer,
            status=status,
            media=media,
            query=query,
            body=body,
            errors=errors,
            field=field,
            headers=headers or {},
            surface=surface,
            write_key=write_key,
            lean=lean,
            cross_origin=cross_origin,
        )

    return declare


def methods_of(operations: Sequence[Operation], path: str) -> list[str]:
    """Return every method of a path for the `Allow` header: HEAD where there is GET, and always OPTIONS."""
    own = {each.method for each in operations if each.path == path}
    return sorted({*own, "OPTIONS", *(("HEAD",) if "GET" in own else ())})
