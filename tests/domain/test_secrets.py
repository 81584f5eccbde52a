"""No password, token or signature of an address is left in a text; everything else is as it was."""

from __future__ import annotations

import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.errors import BadInput
from fleetcast.domain.secrets import blotted, secret_values, without_secrets

SECRET = "S3cr3tS3cr3t"  # noqa: S105  # made up
_ODD = "".join(sign for sign in string.punctuation if sign not in "<>&")

schemes = st.sampled_from(
    ["http", "https", "HTTPS", "postgresql", "postgresql+psycopg", "ftp", "s3", "az", "git+https", "amqp"]
)
odd = st.text(alphabet=string.ascii_letters + string.digits + _ODD, max_size=8)
hosts = st.sampled_from(["host", "a.example.org:8443", "[::1]:80", "10.0.0.1", ""])
paths = st.sampled_from(["", "/", "/a/b", "/a%20b/c.csv", "//x"])
around = st.sampled_from(["", "'", '"', "(", "see ", "GET\t", "`", "["])
names = st.sampled_from(
    [
        "token",
        "Token",
        "access_token",
        "sig",
        "%73ig",
        "key",
        "api-key",
        "apikey",
        "X-Amz-Signature",
        "password",
        "client_secret",
        "AccountKey",
        "SharedAccessKey",
        "x-amz-security-token",
    ]
)


@given(schemes, odd, odd, odd, hosts, paths, around)
def test_no_password_of_an_address_is_left(
    scheme: str, user: str, before: str, after: str, host: str, path: str, mark: str
) -> None:
    text = f"{mark}{scheme}://{user}:{before}{SECRET}{after}@{host}{path}{mark} is not there"
    assert SECRET not in without_secrets(text)


@given(schemes, odd, hosts, paths, around)
def test_no_quoted_password_of_an_address_is_left(
    scheme: str, user: str, host: str, path: str, mark: str
) -> None:
    text = f"{mark}{scheme}://{quote(user, safe='')}:{SECRET}@{host}{path}{mark}"
    assert SECRET not in without_secrets(text)


@given(schemes, hosts, paths, names, odd, around, st.sampled_from(["?", "?a=1&", "#", "?a=b;", "?a=1&b=2&"]))
def test_no_secret_of_a_query_is_left(
    scheme: str, host: str, path: str, name: str, after: str, mark: str, begins: str
) -> None:
    text = f"{mark}{scheme}://{host}{path}{begins}{name}={SECRET}{after}&page=2{mark} fails"
    assert SECRET not in without_secrets(text)


@given(st.text(max_size=60))
def test_a_text_is_blotted_out_once(text: str) -> None:
    once = without_secrets(text)
    assert without_secrets(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "PLANT001/CIRCUIT01: readings until 2025-11-30T12:00:00Z",
        "abfss://readings@account.dfs.core.windows.net/plant",
        "https://fleet.example.org:8443/models?page=2&page_size=50",
        "mail to ana@example.org",
        "ended with exit_code=3, monkey=4, barcode=5",
        "see /var/lib/fleetcast//x and C:/temp",
        "git+ssh://git@host/fleet.git",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    "text",
    [
        f"https://{SECRET}@github.example/fleet.git",
        f"https://host/?next=https%3A%2F%2Fu%3A{SECRET}%40other",
        f"https://host/?next=https://u:{SECRET}@other",
        f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={SECRET};EndpointSuffix=x",
        f"{{'password': '{SECRET}', 'user': 'u'}}",
        f"Authorization: Bearer {SECRET}",
        f"fct_12_{SECRET}",
        f"host=h password={SECRET}",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
    ],
)
def test_a_secret_in_another_shape_is_blotted_out(text: str) -> None:
    assert SECRET not in without_secrets(text)


def test_an_error_holds_no_secret_whatever_it_is_made_of() -> None:
    error = BadInput(f"http://u:{SECRET}@h is not there", fix=f"try http://h?token={SECRET}")
    assert SECRET not in f"{error!r} {error} {error.fix}"


def test_secret_values_of_the_environment_are_blotted_out_wherever_they_stand() -> None:
    environment = {
        "FLEETCAST_DATABASE_URL": "postgresql://u:p%40ss-word@h/db",
        "TEAMS_WEBHOOK": "https://x/hook/abcdef",
        "PAGER": "/usr/bin/less",
        "MINE": "named-by-settings",
        "HOME": "/srv/ana",
        "DB_PASSWORD": "ab",
    }
    values = secret_values(environment, ["MINE"])
    said = blotted("p@ss-word p%40ss-word https://x/hook/abcdef named-by-settings /srv/ana ab less", values)
    assert said == "… … … … /srv/ana ab less"
