"""The part of the blob service that the SDK, obstore and delta-rs use, by host name and by path alike."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from email.utils import format_datetime
from functools import partial
from xml.etree import ElementTree as ET

from tests.azure_emulator.blob_store import Blob, BlobStore, Place
from tests.azure_emulator.messages import HERE, Answer, Handler, Refused, Request, Route

_ACCOUNT = "(?P<account>[a-z0-9]{3,24})"
_HOST = rf"{_ACCOUNT}\.blob\.core\.windows\.net"
_CONTAINER = r"/(?P<container>[a-z0-9$][a-z0-9-]{2,62})"
_BLOB = rf"{_CONTAINER}/(?P<blob>.+)"
_PAGE = 5000
_META = "x-ms-meta-"

_Answers = Callable[[Request, Place], Answer]


class Blobs:
    """Answers with what a store holds; whether a signature is right is not asked."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    def routes(self) -> Sequence[Route]:
        shapes: Sequence[tuple[str, str, _Answers]] = (
            ("GET", _BLOB, self._get),
            ("HEAD", _BLOB, self._get),
            ("PUT", _BLOB, self._put),
            ("DELETE", _BLOB, self._delete),
            ("GET|HEAD", f"{_CONTAINER}/?", self._container),
            ("PUT", f"{_CONTAINER}/?", self._make_container),
            ("POST", f"{_CONTAINER}/?", self._batch),
        )
        return [
            Route(method, host, before + path, _spoken(answer), open=True)
            for method, path, answer in shapes
            for host, before in ((_HOST, ""), (HERE, f"/{_ACCOUNT}"))
        ]

    def _get(self, request: Request, place: Place) -> Answer:
        if request.asked("comp") not in {None, "metadata"}:
            return _unknown(request)
        blob = self._held(request, place)
        if request.headers.get("if-none-match") in {blob.etag, "*"}:
            return Answer(304, headers=_properties(blob))
        asked = request.headers.get("x-ms-range") or request.headers.get("range")
        if asked is None or request.method == "HEAD":
            content = b"" if request.method == "HEAD" else blob.content()
            return Answer(200, content, {**_properties(blob), "content-length": str(blob.size)})
        start, end = _range(asked, blob.size)
        said = {**_properties(blob), "content-range": f"bytes {start}-{end - 1}/{blob.size}"}
        said["content-length"] = str(end - start)
        said.pop("content-md5")
        return Answer(206, blob.content(start, end), said)

    def _put(self, request: Request, place: Place) -> Answer:
        metadata = {
            name.removeprefix(_META): value
            for name, value in request.headers.items()
            if name.startswith(_META)
        }
        kind = request.headers.get("x-ms-blob-content-type") or request.headers.get("content-type")
        kind = kind or "application/octet-stream"
        match request.asked("comp"):
            case None if "x-ms-copy-source" not in request.headers:
                self._may_write(request, place)
                blob = self._store.put(place, request.body, content_type=kind, metadata=metadata)
            case "block":
                self._store.stage(place, request.asked("blockid") or "", request.body)
                return Answer(201, headers=_always())
            case "blocklist":
                self._may_write(request, place)
                blocks = [one.text or "" for one in ET.fromstring(request.body)]  # noqa: S314  # our own clients
                blob = self._store.commit(place, blocks, kind, metadata)
            case "metadata":
                held = self._held(request, place)
                blob = self._store.put(
                    place, held.content(), content_type=held.content_type, metadata=metadata
                )
                return Answer(200, headers=_properties(blob, of_content=False))
            case _:
                return _unknown(request)
        return Answer(201, headers=_properties(blob, of_content=False))

    def _delete(self, request: Request, place: Place) -> Answer:
        self._held(request, place)
        self._store.remove(place)
        return Answer(202, headers=_always())

    def _container(self, request: Request, place: Place) -> Answer:
        if not self._store.has_container(place.account, place.container):
            raise Refused(404, "ContainerNotFound", "The specified container does not exist.")
        if request.asked("comp") != "list":
            return Answer(200, headers={**_always(), "etag": '"0x8D0000000000000"'})
        return self._list(request, place)

    def _list(self, request: Request, place: Place) -> Answer:
        prefix, delimiter = request.asked("prefix") or "", request.asked("delimiter")
        marker = request.asked("marker") or request.asked("startFrom") or ""
        size = int(request.asked("maxresults") or _PAGE)
        found: dict[str, Blob | None] = {}
        more = ""
        for blob in self._store.below(replace(place, name=prefix)):
            rest = blob.name[len(prefix) :]
            folder = delimiter is not None and delimiter in rest
            name = prefix + rest.split(delimiter)[0] + delimiter if folder and delimiter else blob.name
            if name < marker or name in found:
                continue
            if len(found) == size:
                more = name
                break
            found[name] = None if folder else blob
        listed = ET.Element("EnumerationResults", ContainerName=place.container)
        ET.SubElement(listed, "Prefix").text = prefix
        # The SDK takes the size of its next page from here.
        ET.SubElement(listed, "MaxResults").text = str(size)
        blobs = ET.SubElement(listed, "Blobs")
        for name, one in found.items():
            _list_one(blobs, name, one)
        ET.SubElement(listed, "NextMarker").text = more
        said = {**_always(), "content-type": "application/xml"}
        return Answer(200, ET.tostring(listed, encoding="utf-8", xml_declaration=True), said)

    def _make_container(self, request: Request, place: Place) -> Answer:
        if request.asked("restype") != "container" or request.asked("comp") is not None:
            return _unknown(request)
        if not self._store.make_container(place.account, place.container):
            raise Refused(409, "ContainerAlreadyExists", "The specified container already exists.")
        return Answer(201, headers={**_always(), "etag": '"0x8D0000000000000"'})

    def _batch(self, request: Request, place: Place) -> Answer:
        """Several deletes in one request."""
        boundary = re.search(r"boundary=\"?([^\";]+)", request.headers.get("content-type", ""))
        if request.asked("comp") != "batch" or boundary is None:
            return _unknown(request)
        mark = f"batchresponse_{uuid.uuid4()}"
        parts = []
        for number, one in enumerate(re.findall(rb"DELETE (\S+) HTTP/1\.1", request.body)):
            asked = Request.read("DELETE", HERE, one.decode(), {}, b"")
            name = asked.path.partition(f"/{place.container}/")[2]
            gone = self._store.remove(replace(place, name=name))
            status = "202 Accepted" if gone else "404 The specified blob does not exist."
            error = "" if gone else "x-ms-error-code: BlobNotFound\r\n"
            parts.append(
                f"--{mark}\r\nContent-Type: application/http\r\nContent-ID: {number}\r\n\r\n"
                f"HTTP/1.1 {status}\r\n{error}x-ms-request-id: {uuid.uuid4()}\r\nContent-Length: 0\r\n\r\n\r\n"
            )
        body = "".join(parts) + f"--{mark}--\r\n"
        return Answer(202, body.encode(), {**_always(), "content-type": f"multipart/mixed; boundary={mark}"})

    def _held(self, request: Request, place: Place) -> Blob:
        blob = self._store.find(place)
        if blob is None:
            raise Refused(404, "BlobNotFound", "The specified blob does not exist.")
        if request.headers.get("if-match") not in {None, "*", blob.etag}:
            raise Refused(412, "ConditionNotMet", "The condition specified is not met.")
        return blob

    def _may_write(self, request: Request, place: Place) -> None:
        blob = self._store.find(place)
        unless, only = request.headers.get("if-none-match"), request.headers.get("if-match")
        if blob is not None and unless == "*":
            raise Refused(409, "BlobAlreadyExists", "The specified blob already exists.")
        etag = blob.etag if blob else None
        if (only is not None and only != etag) or (unless is not None and unless == etag):
            raise Refused(412, "ConditionNotMet", "The condition specified is not met.")


def _spoken(answer: _Answers) -> Handler:
    """Errors of storage are XML, with their code in a header."""
    return partial(_speak, answer)


def _speak(answer: _Answers, request: Request, found: Mapping[str, str]) -> Answer:
    place = Place(found["account"].lower(), found["container"].lower(), found.get("blob", ""))
    try:
        return answer(request, place)
    except Refused as refused:
        said = refused.answer.json()
        assert isinstance(said, dict)
        error = said["error"]
        assert isinstance(error, dict)
        told = ET.Element("Error")
        ET.SubElement(told, "Code").text = str(error["code"])
        ET.SubElement(told, "Message").text = str(error["message"])
        headers = {**_always(), "x-ms-error-code": str(error["code"]), "content-type": "application/xml"}
        return Answer(refused.answer.status, ET.tostring(told, encoding="utf-8"), headers)


def _unknown(request: Request) -> Answer:
    what = f"the Azure emulator does not know this use of {request.method} on {request.path}"
    return Answer(501, what.encode(), {"content-type": "text/plain"}, known=False)


def _always() -> Mapping[str, str]:
    return {"x-ms-request-id": str(uuid.uuid4()), "x-ms-version": "2021-08-06"}


def _properties(blob: Blob, *, of_content: bool = True) -> dict[str, str]:
    said = {**_always(), "etag": blob.etag, "last-modified": format_datetime(blob.modified, usegmt=True)}
    if not of_content:
        return said | {"x-ms-request-server-encrypted": "true"}
    return {
        **said,
        "accept-ranges": "bytes",
        "content-type": blob.content_type,
        "content-md5": blob.md5,
        "x-ms-blob-type": "BlockBlob",
        **{_META + name: value for name, value in blob.metadata.items()},
    }


def _range(asked: str, size: int) -> tuple[int, int]:
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked)
    if found is None or not (found[1] or found[2]):
        raise Refused(400, "InvalidHeaderValue", f"{asked} is no range")
    start = int(found[1]) if found[1] else max(0, size - int(found[2]))
    end = min(size, int(found[2]) + 1) if found[1] and found[2] else size
    if start >= size:
        raise Refused(416, "InvalidRange", "The range specified is invalid for the current size.")
    return start, end


def _list_one(blobs: ET.Element, name: str, blob: Blob | None) -> None:
    one = ET.SubElement(blobs, "BlobPrefix" if blob is None else "Blob")
    ET.SubElement(one, "Name").text = name
    if blob is None:
        return
    said = ET.SubElement(one, "Properties")
    for label, value in (
        ("Creation-Time", format_datetime(blob.modified, usegmt=True)),
        ("Last-Modified", format_datetime(blob.modified, usegmt=True)),
        ("Etag", blob.etag.strip('"')),
        ("Content-Length", str(blob.size)),
        ("Content-Type", blob.content_type),
        ("Content-MD5", blob.md5),
        ("BlobType", "BlockBlob"),
        ("ServerEncrypted", "true"),
    ):
        ET.SubElement(said, label).text = value
    metadata = ET.SubElement(one, "Metadata")
    for label, value in blob.metadata.items():
        ET.SubElement(metadata, label).text = value
