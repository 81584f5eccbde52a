"""Object stores, against real servers: other machines find what one kept, and trouble is one clear error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import obstore
import pytest
from obstore.store import LocalStore, from_url

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.location import Location
from fleetcast.domain.secrets import first_line
from fleetcast.platforms.delta.table import DeltaReadingsTable
from fleetcast.platforms.objects.artifacts import ObjectArtifactStore
from fleetcast.platforms.objects.frozen_rows import ObjectFrozenRows
from fleetcast.platforms.objects.store import ObjectFolder, delta_options
from fleetcast.ports.artifacts import ArtifactMissing
from fleetcast.ports.readings import ReadingsWanted
from tests.contracts.samples import KEY, readings
from tests.servers.azure_storage import AzureServer
from tests.servers.certificates import write_certificates
from tests.servers.s3 import S3Server
from tests.servers.tls import forward_proxy, tls_in_front

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["file", "s3"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """An empty place."""
    if request.param == "file":
        return Location(f"file://{tmp_path}/shared")
    server: S3Server = request.getfixturevalue("s3")
    return Location(f"s3://{server.new_bucket()}/fleet-one")


def model(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "data" / "weights.bin").write_bytes(b"weights")
    return folder


def raw(location: Location, name: str, content: bytes | None) -> None:
    """Change an object, past fleetcast."""
    store = LocalStore(location.folder, mkdir=True) if location.folder else from_url(location.uri)
    if content is None:
        obstore.delete(store, name)
    else:
        obstore.put(store, name, content)


def names(location: Location) -> list[str]:
    found = obstore.list(from_url(location.uri)).collect()
    return sorted(str(entry["path"]) for entry in found)


# Artifacts and frozen rows


def test_another_machine_finds_an_artifact_as_plain_files(location: Location, tmp_path: Path) -> None:
    digest = ObjectArtifactStore(ObjectFolder(location), tmp_path / "here").keep(model(tmp_path / "model"))
    there = ObjectArtifactStore(ObjectFolder(location), tmp_path / "there").folder(digest)
    assert (there / "data" / "weights.bin").read_bytes() == b"weights"
    place = f"{digest.hex[:2]}/{digest.hex}"
    assert names(location) == [f"{place}.json", f"{place}/MLmodel", f"{place}/data/weights.bin"]


@pytest.mark.parametrize("damage", ["changed", "gone", "no list"])
def test_an_artifact_damaged_in_the_store_is_never_given(
    location: Location, tmp_path: Path, damage: str
) -> None:
    digest = ObjectArtifactStore(ObjectFolder(location), tmp_path / "here").keep(model(tmp_path / "model"))
    place = f"{digest.hex[:2]}/{digest.hex}"
    name = f"{place}.json" if damage == "no list" else f"{place}/MLmodel"
    raw(location, name, b"scribble" if damage == "changed" else None)
    store = ObjectArtifactStore(ObjectFolder(location), tmp_path / "there")
    with pytest.raises(ArtifactMissing, match=r"damaged in|is not in"):
        store.folder(digest)
    assert not (tmp_path / "there").exists() or list((tmp_path / "there").iterdir()) == []


def test_a_list_that_points_outside_is_not_followed(location: Location, tmp_path: Path) -> None:
    digest = Digest.of(b"evil")
    place = f"{digest.hex[:2]}/{digest.hex}"
    raw(location, f"{place}.json", json.dumps(["../../evil"]).encode())
    with pytest.raises((ArtifactMissing, Unavailable)):
        ObjectArtifactStore(ObjectFolder(location), tmp_path / "a" / "b").folder(digest)
    assert list(tmp_path.rglob("evil")) == []


@pytest.mark.parametrize("content", [b"", b"[", b'["MLmodel', b"\xff", b"null", b"{}", b"[1]", b'[""]'])
def test_a_list_that_is_torn_is_one_error_that_names_the_artifact(tmp_path: Path, content: bytes) -> None:
    location = Location(f"file://{tmp_path}/shared")
    digest = ObjectArtifactStore(ObjectFolder(location), tmp_path / "one").keep(model(tmp_path / "model"))
    raw(location, f"{digest.hex[:2]}/{digest.hex}.json", content)
    with pytest.raises(ArtifactMissing, match=f"{digest} is damaged in .*"):
        ObjectArtifactStore(ObjectFolder(location), tmp_path / "two").folder(digest)


def test_another_machine_finds_frozen_rows(location: Location, tmp_path: Path) -> None:
    rows = readings()
    ObjectFrozenRows(ObjectFolder(location), tmp_path / "here").freeze(rows, rows.fingerprint())
    there = ObjectFrozenRows(ObjectFolder(location), tmp_path / "there")
    assert there.holds(rows.fingerprint())
    assert there.load(rows.fingerprint(), KEY).fingerprint() == rows.fingerprint()
    assert not there.holds(Digest.of(b"other"))
    with pytest.raises(BadInput, match="are not in"):
        there.load(Digest.of(b"other"), KEY)


def test_an_object_is_put_once(location: Location) -> None:
    folder = ObjectFolder(location)
    assert folder.put_once("a/b", b"first")
    assert not folder.put_once("a/b", b"second")
    assert folder.get("a/b") == b"first"
    assert folder.get("a/c") is None


# Readings

MERGING = """
import sys
import polars as pl
from datetime import UTC, datetime, timedelta
from fleetcast.domain.location import Location
from fleetcast.platforms.delta.table import DeltaReadingsTable
from fleetcast.platforms.objects.store import delta_options
place = Location(sys.argv[1])
start = datetime(2025, 1, 1, tzinfo=UTC)
for day in range(4):
    DeltaReadingsTable(place.folder or place.uri, delta_options(place)).merge(pl.DataFrame({
        "plant_id": ["P1"] * 3, "circuit_id": [sys.argv[2]] * 3,
        "timestamp": [start + timedelta(days=day, hours=h) for h in range(3)], "t": [1.0, 2.0, 3.0],
    }).with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC"))))
"""


def test_two_writers_lose_no_row_of_each_other(location: Location) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "-c", MERGING, location.uri, circuit],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for circuit in ("C1", "C2")
    ]
    for process in both:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    table = DeltaReadingsTable(location.folder or location.uri, delta_options(location))
    start = datetime(2025, 1, 1, tzinfo=UTC)
    wanted = [
        ReadingsWanted(CircuitKey("P1", name), ("t",), start, start + timedelta(days=9))
        for name in ("C1", "C2")
    ]
    latest = table.latest_version()
    assert latest is not None
    assert [len(found.times) for found in table.read(wanted, latest)] == [12, 12]


# Locked-down networks

REACHING = """
import polars as pl
from fleetcast.domain.location import Location
from fleetcast.platforms.delta.table import DeltaReadingsTable
from fleetcast.platforms.objects.store import ObjectFolder, delta_options
import sys
from datetime import UTC, datetime
place = Location(sys.argv[1])
ObjectFolder(place).put("hello", b"world")
assert ObjectFolder(place).get("hello") == b"world"
DeltaReadingsTable((place / "readings").uri, delta_options(place)).merge(pl.DataFrame({
    "plant_id": ["P1"], "circuit_id": ["C1"], "timestamp": [datetime(2025, 1, 1, tzinfo=UTC)], "t": [1.0],
}).with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC"))))
assert [str(key) for key in DeltaReadingsTable((place / "readings").uri, delta_options(place)).circuits(0)] == ["P1/C1"]
"""


def reach(
    location: Location, environment: dict[str, str], program: str = REACHING
) -> subprocess.CompletedProcess[str]:
    """Use an object store and a Delta table from a process with this environment and no other network settings."""
    network = ("PROXY", "SSL_CERT", "CA_BUNDLE", "CAINFO", "CA_CERT")
    kept = {name: value for name, value in os.environ.items() if not any(n in name.upper() for n in network)}
    return subprocess.run(
        [sys.executable, "-c", program, location.uri],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_private_authority_and_a_proxy_hold_for_every_client(s3: S3Server, tmp_path: Path) -> None:
    certificates = write_certificates(tmp_path)
    location = Location(f"s3://{s3.new_bucket()}/fleet")
    with tls_in_front(s3.port, certificates) as port, forward_proxy() as proxy:
        secured = {"AWS_ENDPOINT_URL": f"https://localhost:{port}", "AWS_ALLOW_HTTP": "false"}
        unknown = reach(location, secured)
        assert unknown.returncode == 1
        trusting = secured | {"SSL_CERT_FILE": str(certificates.authority)}
        direct = reach(location, trusting)
        assert direct.returncode == 0, direct.stderr
        assert proxy.connected == []
        other = Location(f"s3://{s3.new_bucket()}/fleet")
        through = reach(other, trusting | {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"})
        assert through.returncode == 0, through.stderr
        assert set(proxy.connected) == {f"localhost:{port}"}
        seen = len(proxy.connected)
        around = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "localhost"}
        third = Location(f"s3://{s3.new_bucket()}/fleet")
        assert reach(third, trusting | around).returncode == 0
        assert len(proxy.connected) == seen


KEEPING = """
import sys, tempfile
from pathlib import Path
from fleetcast.domain.location import Location
from fleetcast.platforms.objects.artifacts import ObjectArtifactStore
from fleetcast.platforms.objects.store import ObjectFolder
scratch = Path(tempfile.mkdtemp())
(scratch / "model").mkdir()
(scratch / "model" / "MLmodel").write_text("flavors: {}")
place = ObjectFolder(Location(sys.argv[1]))
digest = ObjectArtifactStore(place, scratch / "here").keep(scratch / "model")
assert (ObjectArtifactStore(place, scratch / "there").folder(digest) / "MLmodel").read_text() == "flavors: {}"
"""


@pytest.mark.parametrize("uri", ["az://{}/fleet", "abfss://{}@devstoreaccount1.dfs.core.windows.net/fleet"])
@pytest.mark.parametrize("program", [REACHING, KEEPING], ids=["objects and tables", "artifacts"])
def test_azure_is_reached_with_a_token_and_without_a_key(azure: AzureServer, uri: str, program: str) -> None:
    location = Location(uri.format(azure.new_container()))
    done = reach(location, dict(azure.environment), program)
    assert done.returncode == 0, done.stderr


def test_azure_refuses_who_brings_no_token(azure: AzureServer) -> None:
    location = Location(f"az://{azure.new_container()}/fleet")
    refused = reach(location, {**azure.environment, "AZURE_STORAGE_TOKEN": "hush-hush"})
    assert refused.returncode == 1
    last = refused.stderr.splitlines()[-1]
    assert last.startswith(f"fleetcast.domain.errors.BadInput: {location} refuses")
    assert "hush" not in last


# Trouble


@contextmanager
def answering(status: int, body: str) -> Iterator[int]:
    """A server that gives everyone the same answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_PUT  # noqa: N815  # the library's names
        do_HEAD = do_PUT  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_store_that_refuses_says_which_right_is_missing(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    with answering(403, denied) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        with pytest.raises(BadInput, match="s3://bucket/fleet refuses") as caught:
            ObjectFolder(Location("s3://bucket/fleet")).put("a", b"b")
    assert "s3:PutObject" in caught.value.fix
    assert s3.environment["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)


def test_a_bucket_that_does_not_exist_is_one_clear_error(s3: S3Server) -> None:
    assert s3.port
    with pytest.raises(Unavailable, match="s3://nowhere/fleet cannot be used") as caught:
        ObjectFolder(Location("s3://nowhere/fleet")).put("a", b"b")
    assert "bucket or container exists" in caught.value.fix


@pytest.mark.slow
def test_a_store_that_is_down_is_given_up_on(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert s3.port
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="cannot be used"):
        ObjectFolder(Location("s3://bucket/fleet")).get("a")


# Addresses


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("gs://bucket/x", "not a storage URI"),
        ("/folder", "not a storage URI"),
        ("s3://key:hush-hush@bucket/x", "holds no keys"),
        ("az://container/x?sv=1&sig=hush-hush", "holds no keys"),
        ("abfss://container@account.dfs.core.windows.net/x?sig=hush-hush", "holds no keys"),
        ("abfss://container/x", "names no account"),
        ("s3:///x", "names no bucket"),
        ("s3://bucket/fleet one", "blanks or odd characters"),
        ("file://host/x", "not an absolute file URI"),
        ("file:///a/../b", "names a folder by way of another"),
        ("ftp://u:p@h/?sig=hush-hush", "not a storage URI"),
    ],
)
def test_addresses_that_cannot_be_used_are_explained_without_their_secrets(uri: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        Location(uri)
    assert "hush" not in str(caught.value) + caught.value.fix


def test_an_address_says_where() -> None:
    lake = Location("abfss://models@plant.dfs.core.windows.net/fleet/")
    assert (lake.bucket, lake.account, lake.path) == ("models", "plant", "fleet")
    assert str(lake / "readings") == "abfss://models@plant.dfs.core.windows.net/fleet/readings"
    assert delta_options(lake)["account_name"] == "plant"
    assert Location("file:///a/b").folder == Path("/a/b")


def test_secrets_in_urls_are_blotted_out() -> None:
    said = "GET https://a.blob/c?sv=2&sig=hush%2Bhush&se=3 failed\nand more"
    assert first_line(said) == "GET https://a.blob/c?sv=2&sig=…&se=3 failed"
