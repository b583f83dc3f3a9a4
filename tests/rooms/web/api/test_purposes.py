"""Purposes over HTTP."""


def test_purposes_are_told_in_plain_text(client, shop):
    """Whoever handles consent can read the words that people are shown."""
    purposes = client.get("/v1/purposes", headers=shop.key_of("officer")).json()["purposes"]
    assert {"personalize", "learn"} <= {purpose["id"] for purpose in purposes}
