"""What the server says of itself."""


def test_the_server_says_how_it_is(client):
    """Health is public and says nothing more."""
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_global_privacy_control_is_announced(client):
    """The support resource has the shape that the specification gives."""
    answer = client.get("/.well-known/gpc.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"gpc", "lastUpdate"}
    assert answer.json()["gpc"] is True


def test_metrics_are_prometheus_text(client, shop):
    """Every line is a comment or a sample with one label, and nothing names a person."""
    client.post("/v1/decide", json={"person": "ann"}, headers=shop.key_of("server"))
    client.post("/v1/track", json={"userId": "ann", "event": "Product Viewed"}, headers=shop.key_of("browser"))
    answer = client.get("/metrics", headers=shop.key_of("monitor"))
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'assent_acts_total{act="decide"} 1' in answer.text
    assert 'assent_events_total{outcome="stored"} 1' in answer.text
    for line in answer.text.splitlines():
        assert line.startswith("# ") or line.rpartition(" ")[2].isdigit()
    assert "ann" not in answer.text
