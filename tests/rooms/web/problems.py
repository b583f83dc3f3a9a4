"""What every error looks like on the wire."""

CANARY = "Zelda.Canary@example.org"


def check_problem(answer, status):
    """Assert that an answer is a problem detail of a status, with advice, that repeats nothing of what was sent."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    result = answer.json()
    assert result["status"] == status
    assert result["type"] == f"urn:assent:error:{result['code']}"
    assert result["title"]
    assert result["detail"]
    assert result["advice"]
    assert CANARY.lower() not in answer.text.lower()
