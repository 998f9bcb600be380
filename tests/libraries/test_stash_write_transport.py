"""How changes go to a Stash and what comes back: each once, whatever happens, with data and errors both."""

import json

import pytest
import requests
import responses

from stash_portability.errors import Refused, StashSaidNo, Unreachable
from stash_portability.libraries.connection import connect
from stash_portability.libraries.stash_answers import Mistake

BASE = "http://films.example:9999"
GRAPHQL = f"{BASE}/graphql"
CHANGE = "mutation Write($a0_input:TagCreateInput!){a0:tagCreate(input:$a0_input){id}}"


@pytest.fixture
def http():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def connection():
    return connect(BASE, "the-very-secret-key", sleep=lambda seconds: pytest.fail("a change was to be tried again"))


def test_data_and_errors_both_come_back(http, connection):
    errors = [{"message": "taken", "path": ["a1"]}, {"message": "no time", "path": ["a2", "times", 0]}, "odd", {}]
    http.post(GRAPHQL, json={"data": {"a0": {"id": "5"}, "a1": None}, "errors": errors})
    outcome = connection.change(CHANGE, {"a0_input": {"name": "Reed"}})
    assert outcome.data == {"a0": {"id": "5"}, "a1": None}
    unsaid = Mistake("no reason given", ())
    assert outcome.mistakes == (Mistake("taken", ("a1",)), Mistake("no time", ("a2", "times", 0)), unsaid, unsaid)
    assert json.loads(http.calls[0].request.body)["variables"] == {"a0_input": {"name": "Reed"}}


@pytest.mark.parametrize("status", [200, 400, 422])
def test_a_refusal_before_anything_is_done_is_an_outcome(http, connection, status):
    error = {"message": "unknown field", "path": ["variable", "a0_input", "nope"]}
    http.post(GRAPHQL, json={"data": None, "errors": [error]}, status=status)
    outcome = connection.change(CHANGE)
    assert outcome == ({}, (Mistake("unknown field", ("variable", "a0_input", "nope")),))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"body": requests.ConnectionError("reset")}, Unreachable),
        ({"body": requests.ReadTimeout()}, Unreachable),
        ({"status": 429}, StashSaidNo),
        ({"status": 502}, StashSaidNo),
        ({"status": 504}, StashSaidNo),
        ({"status": 500}, Unreachable),
        ({"status": 403}, Refused),
        ({"body": "hello"}, Unreachable),
        ({"json": [1]}, Unreachable),
    ],
)
def test_a_change_is_sent_once_whatever_comes(http, connection, answer, error):
    http.post(GRAPHQL, **answer)
    with pytest.raises(error) as caught:
        connection.change(CHANGE)
    assert len(http.calls) == 1
    assert "secret" not in str(caught.value)


def test_a_locked_database_is_told_of_the_one_it_hit(http, connection):
    http.post(GRAPHQL, json={"data": None, "errors": [{"message": "database is locked", "path": ["a0"]}]})
    assert connection.change(CHANGE).mistakes == (Mistake("database is locked", ("a0",)),)
