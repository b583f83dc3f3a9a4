"""The bounds of requests, each on both sides, as numbers written here."""

from __future__ import annotations

import json
from typing import Any

import pytest

BODY_BYTES = 4_194_304


def padded(value: Any, size: int) -> bytes:
    """Return JSON text of exactly so many bytes."""
    text = json.dumps(value).encode()
    return text[:-1] + b" " * (size - len(text)) + text[-1:]


@pytest.mark.parametrize(
    ("method", "path", "value"), [("POST", "/v1/batch", {"batch": []}), ("PUT", "/v1/items", []), ("POST", "/v1/m", {})]
)
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_of_exactly_the_bound_is_read(still_client, still, method, path, value, announced):
    """Four mebibytes may come, one byte more is refused, whether its length was announced or not."""
    for size, status in ((BODY_BYTES, 200), (BODY_BYTES + 1, 413)):
        body = padded(value, size)
        content = body if announced else iter([body[:1_000], body[1_000:]])
        answer = still_client.request(method, path, headers=still.key_of("server"), content=content)
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("fits", "over"),
    [
        ({"count": 200}, {"count": 201}),
        ({"count": 1}, {"count": 0}),
        ({"slot": "s" * 64}, {"slot": "s" * 65}),
        ({"exclude": ["x"] * 5_000}, {"exclude": ["x"] * 5_001}),
        ({"exclude": ["i" * 128]}, {"exclude": ["i" * 129]}),
        ({"context": {"item": "i" * 128}}, {"context": {"item": "i" * 129}}),
        ({"person": "p" * 256}, {"person": "p" * 257}),
    ],
)
def test_a_question_at_its_bound_is_answered(still_client, still, fits, over):
    """One past it is refused."""
    headers = still.key_of("server")
    assert still_client.post("/v1/decide", headers=headers, json=fits).status_code == 200
    assert still_client.post("/v1/decide", headers=headers, json=over).status_code == 400


@pytest.mark.parametrize(
    ("path", "fits", "over"),
    [
        ("/v1/items", "count=1000", "count=1001"),
        ("/v1/items", f"after={'i' * 128}", f"after={'i' * 129}"),
        ("/v1/items/item%200%2F0/similar", "count=200", "count=201"),
        ("/v1/items/item%200%2F0/similar", "count=1", "count=0"),
    ],
)
def test_a_query_at_its_bound_is_answered(still_client, still, path, fits, over):
    """One past it is refused."""
    headers = still.key_of("server")
    assert still_client.get(f"{path}?{fits}", headers=headers).status_code == 200
    assert still_client.get(f"{path}?{over}", headers=headers).status_code == 400


def test_evidence_has_at_most_two_thousand_characters(client, shop):
    """At the bound it is kept with the consent, one past it nothing is recorded."""
    for chars, status in ((2_000, 200), (2_001, 400)):
        choices = {"grant": ["learn"], "evidence": "e" * chars}
        answer = client.put("/v1/people/ann/consent", headers=shop.key_of("server"), json=choices)
        assert answer.status_code == status


def test_a_name_in_a_path_has_at_most_256_characters(still_client, still):
    """A longer one is no name of anybody."""
    headers = still.key_of("server")
    assert still_client.get(f"/v1/people/{'p' * 256}", headers=headers).status_code == 404
    assert still_client.get(f"/v1/people/{'p' * 257}", headers=headers).status_code == 400
