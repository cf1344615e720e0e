from __future__ import annotations

from shared.problem import problem


def test_a_problem_says_what_is_wrong_in_the_standard_form() -> None:
    answer = problem(503, "Too many viewers", "viewers: expected at most 2", Retry_After="5")

    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Retry-After"] == "5"
    assert answer.get_json() == {
        "type": "about:blank",
        "title": "Too many viewers",
        "status": 503,
        "detail": "viewers: expected at most 2",
    }
