"""An MLflow registry: which version of each model is in use there, and its files. The only place that knows its API."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.location import file_uri
from fleetcast.platforms.files.plainly_named import PlainlyNamed
from fleetcast.platforms.foreign.plain_copy import plain_copy
from fleetcast.ports.model_sources import Found, FoundModel

_SQLITE = "sqlite:///"
_OTHER_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")
CHAMPION_ALIAS = "champion"
_IN_USE_STAGE = "Production"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_METRICS = 20


@dataclass(frozen=True, slots=True)
class MlflowSource:
    """The models of one MLflow registry.

    Of each model, the version with the alias `champion`; else the one in the stage Production; else the newest.
    """

    uri: str
    """As MLflow takes it: `sqlite:///mlflow.db`, `http://…`, or a folder. Credentials come from MLflow's own
    environment variables."""
    _folder: PlainlyNamed | None = field(init=False, repr=False, compare=False, default=None)
    """Of the database, where it is one: MLflow makes folders beside it, by a name that it does not decode."""

    def __post_init__(self) -> None:
        if urlsplit(self.uri).password:
            raise BadInput(
                "the address of the MLflow registry holds a password",
                fix="leave it out and set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
            )
        if self.uri.startswith(_SQLITE):
            _check_database(_file_of(self.uri))
            object.__setattr__(self, "_folder", PlainlyNamed(_file_of(self.uri).parent))
        if "://" not in self.uri and not Path(self.uri).is_dir():
            raise BadInput(
                f"there is no MLflow folder {self.uri}", fix="name a folder, or sqlite:///FILE, or http://…"
            )
        if importlib.util.find_spec("mlflow") is None:
            raise BadInput("MLflow is not installed here", fix="pip install 'fleetcast[mlflow]'")

    def find(self, wanted: Mapping[CircuitKey, str]) -> Found:
        """Look for the models of circuits."""
        with self._client() as client:
            registered = {model.name: model for model in _all(client)}
            models = {
                key: self._found(client, key, registered[name])
                for key, name in wanted.items()
                if name in registered
            }
        return Found(models, sorted(registered.keys() - set(wanted.values())))

    def fetch(self, model: FoundModel, into: Path) -> None:
        """Copy a model's files into a new folder."""
        import mlflow.artifacts

        name, _, version = model.place.rpartition("/")
        with self._client() as client, tempfile.TemporaryDirectory() as scratch:
            uri = client.get_model_version_download_uri(name, version)
            folder = _folder_here(uri) or mlflow.artifacts.download_artifacts(
                artifact_uri=uri, dst_path=scratch, tracking_uri=self._address()
            )
            plain_copy(Path(folder).resolve(), into)

    def _address(self) -> str:
        """The registry's address as MLflow reads it: paths are URIs there, whatever signs they hold."""
        if self._folder is not None:
            file = Path(self._folder.address(), _file_of(self.uri).name)
            return sa.URL.create("sqlite", database=str(file)).render_as_string(hide_password=False)
        return self.uri if "://" in self.uri else file_uri(Path(self.uri))

    def _found(self, client: Any, key: CircuitKey, registered: Any) -> FoundModel:
        version = _in_use(client, registered)
        said = {"registry_version": str(version.version), "created": _time(version.creation_timestamp)}
        said |= {"run_id": version.run_id} if version.run_id else {}
        said |= {f"tag {name}": str(value)[:200] for name, value in version.tags.items()}
        if version.run_id:
            said |= self._run(client, version.run_id)
        source = f"MLflow registry {registered.name}:{version.version}"
        lookback = version.tags.get("lookback", "")
        return FoundModel(
            key,
            source,
            f"{registered.name}/{version.version}",
            said,
            int(lookback) if lookback.isdecimal() and int(lookback) else None,
        )

    def _run(self, client: Any, run_id: str) -> dict[str, str]:
        """What is left of the run that trained it; nothing if the run was deleted."""
        from mlflow.exceptions import MlflowException

        try:
            run = client.get_run(run_id)
        except MlflowException:
            return {}
        metrics = sorted(run.data.metrics.items())[:_MOST_METRICS]
        return {f"metric {name}": f"{value:.6g}" for name, value in metrics}

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """MLflow's client, with its errors as ours and without its chatter."""
        with warnings.catch_warnings(), _without_progress_bar():
            warnings.simplefilter("ignore")
            for name in ("mlflow", "alembic"):
                logging.getLogger(name).setLevel(logging.ERROR)
            from mlflow import MlflowClient
            from mlflow.exceptions import MlflowException
            from sqlalchemy.exc import SQLAlchemyError

            try:
                yield MlflowClient(tracking_uri=self._address(), registry_uri=self._address())
            except (MlflowException, SQLAlchemyError, OSError) as error:
                said = str(error).splitlines()[0][:300]
                raise Unavailable(
                    f"the MLflow registry refuses: {said}",
                    fix="check its address, its rights and its version",
                ) from error


def _file_of(uri: str) -> Path:
    """The file that a `sqlite:///` address means: as it is written, or read as a URI."""
    written = Path(uri.removeprefix(_SQLITE))
    return written if written.is_file() else Path(unquote(str(written)))


def _folder_here(uri: str) -> Path | None:
    """The folder of this machine that an artifact's URI names; None for one elsewhere.

    It is copied without MLflow, which follows links that lead out of it, and finds no file below a folder with a `#`.
    What it wrote, it wrote where the URI leads once it is decoded, even where that is a plain path.
    """
    path = uri.removeprefix("file:").removeprefix("//") if uri.startswith("file:") else uri
    if _OTHER_SCHEME.match(path):
        return None
    return next((folder for folder in (Path(unquote(path)), Path(path)) if folder.is_dir()), None)


def _check_database(path: Path) -> None:
    """Make sure that a file is an MLflow registry: MLflow itself would make one of any empty database."""
    if not path.is_file():
        raise BadInput(f"there is no MLflow database {path}", fix="check the path after sqlite:///")
    query = "SELECT 1 FROM sqlite_master WHERE name = 'registered_models'"
    try:
        with closing(sqlite3.connect(f"{file_uri(path.resolve())}?mode=ro", uri=True)) as connection:
            known = connection.execute(query).fetchone()
    except sqlite3.Error as error:
        raise BadInput(f"{path} is no database: {error}", fix="check the path after sqlite:///") from error
    if known is None:
        raise BadInput(f"{path} is no MLflow registry", fix="check the path after sqlite:///")


@contextmanager
def _without_progress_bar() -> Iterator[None]:
    """MLflow draws one on standard error, unless a variable says otherwise."""
    name = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"
    before = os.environ.get(name)
    os.environ[name] = before or "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]


def _all(client: Any) -> Iterator[Any]:
    """Every registered model, page by page."""
    token = None
    while True:
        page = client.search_registered_models(max_results=1000, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _in_use(client: Any, registered: Any) -> Any:
    alias = registered.aliases.get(CHAMPION_ALIAS)
    if alias is not None:
        return client.get_model_version(registered.name, str(alias))
    versions = client.search_model_versions(f"name='{registered.name}'")
    if not versions:
        raise BadInput(
            f"the registered model {registered.name} has no version",
            fix="register one, or leave the model out",
        )
    staged = [version for version in versions if version.current_stage == _IN_USE_STAGE]
    return max(staged or versions, key=lambda version: int(version.version))


def _time(milliseconds: int) -> str:
    return (_EPOCH + timedelta(milliseconds=milliseconds)).strftime("%Y-%m-%d %H:%M UTC")
