"""The transport: everything that can stand at an address, and everything it can do to us."""

import json
import logging

import pytest
import requests
import responses

from stash_portability.errors import Refused, StashSaidNo, TransientError, Unreachable, UsageError
from stash_portability.libraries import stash_address
from stash_portability.libraries.connection import Connection, Limits, connect, from_plugin, is_read

BASE = "http://films.example:9999"
GRAPHQL = f"{BASE}/graphql"
KEY = "the-very-secret-key"
QUESTION = "query V{version{version}}"
CHANGE = "mutation M{tagDestroy(input:{id:1})}"
SERVER = {"Scheme": "http", "Host": "0.0.0.0", "Port": 9999, "SessionCookie": {"Name": "session", "Value": "first"}}


@pytest.fixture
def http():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def slept():
    return []


@pytest.fixture
def connection(slept):
    return connect(BASE, KEY, sleep=slept.append)


def good(http, data=None, **more):
    return http.post(GRAPHQL, json={"data": data or {"version": {"version": "v1"}}}, **more)


def test_the_data_of_an_answer_is_given(http, connection):
    good(http)
    assert connection.call_GQL(QUESTION) == {"version": {"version": "v1"}}
    assert json.loads(http.calls[0].request.body) == {"query": QUESTION, "variables": {}}


def test_it_is_stashapp_tools_own_interface(http, connection):
    good(http)
    assert connection._GQL(QUESTION, {"x": 1}) == {"version": {"version": "v1"}}
    http.post(GRAPHQL, json={"data": {"version": {"version": "v0.30.1", "hash": "abcdefabc"}}})
    connection.call_GQL(QUESTION)
    assert "StashInterface" in {parent.__name__ for parent in Connection.__mro__}


# What Stash says


def test_errors_beside_data_are_raised(http, connection):
    http.post(
        GRAPHQL, json={"data": {"sceneUpdate": None}, "errors": [{"message": "no such scene", "path": ["sceneUpdate"]}]}
    )
    with pytest.raises(StashSaidNo, match=r"no such scene \(at sceneUpdate\)") as caught:
        connection.call_GQL(QUESTION)
    assert caught.value.words["path"] == ("sceneUpdate",)


@pytest.mark.parametrize("status", [200, 400, 422])
def test_a_refused_query_is_told_with_stashs_reason(http, connection, status):
    http.post(
        GRAPHQL, json={"data": None, "errors": [{"message": "unknown field", "path": ["variable", "f"]}]}, status=status
    )
    with pytest.raises(StashSaidNo, match="unknown field"):
        connection.call_GQL(QUESTION)


def test_a_long_reason_keeps_both_ends(http, connection):
    http.post(GRAPHQL, json={"errors": [{"message": "error executing " + "SELECT x " * 500 + "no such column"}]})
    with pytest.raises(StashSaidNo) as caught:
        connection.call_GQL(QUESTION)
    assert len(str(caught.value)) < 400
    assert "error executing" in str(caught.value) and "no such column" in str(caught.value)


@pytest.mark.parametrize("errors", [[], [{}], ["odd"], [{"message": None, "path": None}], {"message": "odd"}])
def test_odd_errors_are_still_errors_or_nothing(http, connection, errors):
    http.post(GRAPHQL, json={"data": None, "errors": errors})
    with pytest.raises(StashSaidNo):
        connection.call_GQL(QUESTION)


@pytest.mark.parametrize("body", ["", "null", "[]", "hello", '{"answer": 1}', '{"data": '])
def test_what_is_not_graphql_is_no_stash(http, connection, body):
    http.post(GRAPHQL, body=body)
    with pytest.raises(Unreachable, match="does not speak GraphQL"):
        connection.call_GQL(QUESTION)


# Trying again


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_read_is_tried_again_while_the_server_is_busy(http, connection, slept, status):
    http.post(GRAPHQL, status=status)
    good(http)
    assert connection.call_GQL(QUESTION)
    assert slept == [0.2]


def test_retry_after_is_kept_to_within_reason(http, connection, slept):
    http.post(GRAPHQL, status=429, headers={"Retry-After": "7"})
    http.post(GRAPHQL, status=429, headers={"Retry-After": "86400"})
    http.post(GRAPHQL, status=429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    good(http)
    assert connection.call_GQL(QUESTION)
    assert slept == [7, 30, 3]


def test_a_locked_database_is_waited_for(http, connection, slept):
    http.post(GRAPHQL, json={"data": None, "errors": [{"message": "begin: database is locked"}]})
    good(http)
    assert connection.call_GQL(QUESTION)
    assert len(slept) == 1


def test_a_read_that_never_succeeds_ends(http, connection, slept):
    http.post(GRAPHQL, status=503)
    with pytest.raises(TransientError, match=r"did not answer well \(it answered 503\); tried again and gave up"):
        connection.call_GQL(QUESTION)
    assert slept == [0.2, 1.0, 3.0] and len(http.calls) == 4


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (requests.ConnectionError("Connection refused"), "nothing listens there"),
        (requests.ConnectionError("NameResolutionError"), "no such host"),
        (requests.ConnectionError("Connection reset by peer"), "the connection was cut"),
        (requests.ConnectTimeout("x"), "no connection within 10 seconds"),
        (requests.ReadTimeout("x"), "no answer within 120 seconds"),
        (requests.exceptions.ChunkedEncodingError("x"), "the connection was lost"),
    ],
)
def test_a_lost_connection_is_tried_again_and_then_named(http, connection, slept, error, words):
    http.post(GRAPHQL, body=error)
    with pytest.raises(Unreachable, match=words):
        connection.call_GQL(QUESTION)
    assert len(slept) == 3


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 503},
        {"body": requests.ConnectionError("reset")},
        {"json": {"errors": [{"message": "database is locked"}]}},
    ],
)
def test_a_change_is_never_sent_twice(http, connection, slept, answer):
    http.post(GRAPHQL, **answer)
    with pytest.raises((StashSaidNo, Unreachable)):
        connection.call_GQL(CHANGE)
    assert len(http.calls) == 1 and slept == []


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("{version{version}}", True),
        ("\n query Q($a:Int){x}", True),
        (CHANGE, False),
        ("# a comment\nquery{x}", False),
        ("fragment F on T{x} query{x}", False),
        ("query{x} mutation{y}", False),
        ("subscription{x}", False),
    ],
)
def test_only_what_is_surely_a_read_counts_as_one(query, read):
    assert is_read(query) is read


# What else can stand there


def test_a_wrong_key_is_refused(http, connection):
    http.post(GRAPHQL, status=401)
    with pytest.raises(Refused, match="the API key is wrong; give its API key"):
        connection.call_GQL(QUESTION)


@pytest.mark.parametrize("key", ["schlüssel", "the-\u200bkey", "the-very\nsecret", "a\x7f", "a\0b"])
def test_a_key_of_odd_characters_is_refused_and_not_shown(key):
    with pytest.raises(UsageError, match="characters no key has; copy it again") as caught:
        connect(BASE, key)
    assert key not in str(caught.value)
    connect(BASE, f" {KEY}\n")


def test_no_key_where_one_is_wanted_is_refused(http):
    http.post(GRAPHQL, status=401)
    with pytest.raises(Refused, match="it wants an API key"):
        connect(BASE).call_GQL(QUESTION)


def test_a_stale_key_is_not_sent_on_to_an_open_server(http, connection):
    http.post(GRAPHQL, status=401)
    good(http)
    connection.call_GQL(QUESTION)
    connection.call_GQL(QUESTION)
    assert [call.request.headers.get("ApiKey") for call in http.calls] == [KEY, None, None]


def test_a_key_that_worked_is_not_dropped_later(http, connection):
    good(http)
    http.post(GRAPHQL, status=401)
    connection.call_GQL(QUESTION)
    with pytest.raises(Refused):
        connection.call_GQL(QUESTION)
    assert len(http.calls) == 2


def test_a_login_page_with_status_200_is_refused(http, connection):
    http.post(GRAPHQL, body="<!DOCTYPE html><form><input type='password'></form>", content_type="text/html")
    with pytest.raises(Refused, match="what answers is a login page"):
        connection.call_GQL(QUESTION)


def test_another_web_page_is_no_stash(http, connection):
    http.post(GRAPHQL, body="<html>It works!</html>", content_type="text/html")
    with pytest.raises(Unreachable, match="a web page, not Stash's GraphQL"):
        connection.call_GQL(QUESTION)


def test_a_redirect_to_the_login_is_refused(http, connection):
    http.post(GRAPHQL, status=302, headers={"Location": "/login?returnURL=%2Fgraphql"})
    with pytest.raises(Refused, match="it wants a login"):
        connection.call_GQL(QUESTION)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed_and_its_target_is_named(http, connection, status):
    http.post(GRAPHQL, status=status, headers={"Location": "https://user:pw@other.example/graphql?apikey=leak"})
    http.post("https://other.example/graphql", json={"data": {}})
    with pytest.raises(Unreachable, match=r"it redirects to https://other\.example; if that is your Stash") as caught:
        connection.call_GQL(QUESTION)
    assert len(http.calls) == 1
    assert "leak" not in str(caught.value) and "pw" not in str(caught.value)


def test_a_stash_that_locked_itself_is_told(http, connection):
    http.post(GRAPHQL, status=403, body="Stash is exposed to the public internet without authentication")
    with pytest.raises(Refused, match="locked itself"):
        connection.call_GQL(QUESTION)


@pytest.mark.parametrize(("status", "words"), [(404, "no GraphQL"), (413, "proxy refuses"), (500, "answered 500")])
def test_other_statuses_are_named(http, connection, status, words):
    http.post(GRAPHQL, status=status)
    with pytest.raises(Unreachable, match=words):
        connection.call_GQL(QUESTION)


def test_an_answer_without_end_is_cut(http):
    http.post(GRAPHQL, body="x" * 5000)
    with pytest.raises(Unreachable, match="over 1000 bytes"):
        connect(BASE, limits=Limits(bytes=1000)).call_GQL(QUESTION)


def test_an_untrusted_certificate_is_told_at_once(http, slept):
    http.post("https://films.example/graphql", body=requests.exceptions.SSLError("self-signed certificate"))
    with pytest.raises(Unreachable, match="certificate is not trusted"):
        connect("https://films.example", sleep=slept.append).call_GQL(QUESTION)
    assert slept == []


# Images


def test_an_image_is_opened(http, connection):
    http.get(f"{BASE}/tag/1/image", body=b"\x89PNG")
    assert connection.open("/tag/1/image").read() == b"\x89PNG"
    assert http.calls[0].request.headers["ApiKey"] == KEY


def test_a_download_comes_in_pieces_however_large_it_is(http):
    content = b"0123456789" * 100_000
    http.get(f"{BASE}/downloads/ab/copy.sqlite", body=content)
    pieces = list(connect(BASE, limits=Limits(bytes=10)).download("/downloads/ab/copy.sqlite"))
    assert len(pieces) > 1
    assert b"".join(pieces) == content


@pytest.mark.parametrize(
    ("status", "error"), [(404, Unreachable), (401, Refused), (302, Unreachable), (503, TransientError)]
)
def test_a_download_that_is_refused_is_told_before_its_first_piece(http, connection, status, error):
    http.get(f"{BASE}/downloads/ab/copy.sqlite", body=b"gone", status=status)
    with pytest.raises(error):
        next(connection.download("/downloads/ab/copy.sqlite"))


def test_a_download_that_is_cut_is_told(http, connection):
    http.get(f"{BASE}/downloads/ab/copy.sqlite", body=requests.ConnectionError("reset by peer"))
    with pytest.raises(Unreachable, match="the connection was cut"):
        list(connection.download("/downloads/ab/copy.sqlite"))


def test_a_svg_image_is_not_taken_for_a_login_page(http, connection):
    http.get(f"{BASE}/tag/1/image", body=b"<svg><text>login</text></svg>")
    assert connection.open("/tag/1/image").read().startswith(b"<svg")


def test_an_image_that_is_gone_says_404(http, connection):
    http.get(f"{BASE}/tag/1/image", status=404)
    with pytest.raises(Unreachable) as caught:
        connection.open("/tag/1/image")
    assert caught.value.words["status"] == 404


# Keys and cookies


def plugin(http, key=""):
    http.post("http://127.0.0.1:9999/graphql", json={"data": {"configuration": {"general": {"apiKey": key}}}},
              headers={"Set-Cookie": "session=second; Path=/; HttpOnly"})  # fmt: skip
    http.post("http://127.0.0.1:9999/graphql", json={"data": {"version": None}},
              headers={"Set-Cookie": "session=third; Path=/; HttpOnly"})  # fmt: skip
    return from_plugin(SERVER)


def test_the_session_rolls_and_no_stale_cookie_is_sent(http):
    connection = plugin(http)
    for _ in range(3):
        connection.call_GQL(QUESTION)
    cookies = [call.request.headers["Cookie"] for call in http.calls]
    assert cookies == ["session=first", "session=second", "session=third", "session=third"]


def test_a_plugin_takes_stashs_own_key_and_keeps_the_cookie(http):
    connection = plugin(http, KEY)
    connection.call_GQL(QUESTION)
    connection.call_GQL(QUESTION)
    assert [call.request.headers.get("ApiKey") for call in http.calls] == [None, KEY, KEY]
    assert "session=" in http.calls[2].request.headers["Cookie"]


def test_a_plugin_of_a_stash_without_key_sends_none(http):
    connection = plugin(http, "")
    connection.call_GQL(QUESTION)
    assert all("ApiKey" not in call.request.headers for call in http.calls)


def test_cookies_of_others_are_not_kept(http, connection):
    good(http, headers={"Set-Cookie": "session=planted; Path=/"})
    connection.call_GQL(QUESTION)
    connection.call_GQL(QUESTION)
    assert "Cookie" not in http.calls[1].request.headers


def test_nothing_is_sent_before_the_first_question(http):
    from_plugin(SERVER)
    connect(BASE, KEY)
    assert len(http.calls) == 0


FAULTS = [
    {"status": 401}, {"status": 403}, {"status": 302, "headers": {"Location": f"/x?apikey={KEY}"}}, {"status": 503},
    {"body": requests.ConnectionError(f"ApiKey: {KEY} session=first")}, {"body": "<html>login"}, {"body": "x"},
    {"body": requests.exceptions.InvalidHeader(KEY)}, {"json": {"errors": [{"message": "no"}]}},
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_no_secret_is_in_a_message_or_log(http, caplog, fault):
    caplog.set_level(logging.DEBUG)
    http.post(GRAPHQL, **fault)
    with pytest.raises(Exception) as caught:
        Connection(stash_address.parse(BASE), api_key=KEY, cookie="first", sleep=lambda _: None).call_GQL(QUESTION)
    told = str(caught.value) + repr(caught.value.words) + caplog.text
    assert KEY not in told and "session=first" not in told


# Addresses


@pytest.mark.parametrize(
    ("text", "graphql"),
    [
        ("http://host:9999", "http://host:9999/graphql"),
        ("http://host:9999/", "http://host:9999/graphql"),
        ("  http://HOST:9999/graphql ", "http://host:9999/graphql"),
        ("https://host/stash", "https://host/stash/graphql"),
        ("https://host/stash/graphql/", "https://host/stash/graphql"),
        ("http://[::1]:9999", "http://[::1]:9999/graphql"),
        ("http://[fe80::1]/p", "http://[fe80::1]/p/graphql"),
        ("http://0.0.0.0:9999", "http://127.0.0.1:9999/graphql"),
        ("http://[::]:9999", "http://127.0.0.1:9999/graphql"),
    ],
)
def test_an_address_is_read(text, graphql):
    address = stash_address.parse(text)
    assert address.graphql == graphql and not address.trusted


@pytest.mark.parametrize(
    "text",
    [
        "", "host:9999", "ftp://host", "file:///etc/passwd", "http://", "http://user:pw-secret@host", "http://u@host",
        "http://host:99999", "http://host:x", "http://[::1", "http://host:9999/?apikey=pw-secret", "http://host#x",
        "http://ho st/", "javascript:alert(1)", "http://-host",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_repeating_it(text):
    with pytest.raises(UsageError) as caught:
        stash_address.parse(text)
    assert "pw-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "base", "trusted"),
    [
        ("0.0.0.0", "https://127.0.0.1:9999", True),
        ("", "https://127.0.0.1:9999", True),
        ("::", "https://127.0.0.1:9999", True),
        ("[::]", "https://127.0.0.1:9999", True),
        ("localhost", "https://localhost:9999", True),
        ("127.0.0.5", "https://127.0.0.5:9999", True),
        ("::1", "https://[::1]:9999", True),
        ("192.168.0.7", "https://192.168.0.7:9999", False),
        ("fe80::1", "https://[fe80::1]:9999", False),
    ],
)
def test_only_this_machines_certificate_is_not_checked(host, base, trusted):
    connection = from_plugin({**SERVER, "Scheme": "https", "Host": host})
    assert connection.address.base == base
    assert connection.s.verify is not trusted


def test_a_loopback_address_of_the_user_is_checked(monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/some/authority.pem")
    assert connect("https://localhost:9999").s.verify == "/some/authority.pem"


def test_no_proxy_stands_before_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert connect("http://localhost:9999").s.trust_env is False
    assert connect(BASE).s.trust_env is True


@pytest.mark.parametrize("server", [{"Scheme": "ftp"}, {"Port": "x"}])
def test_an_odd_server_connection_is_refused(server):
    with pytest.raises(UsageError):
        from_plugin({**SERVER, **server})
