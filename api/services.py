"""What every view needs, opened once per process: settings, database, the model in service, counters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask, current_app, url_for

from api.metrics import Metrics
from embeddings.decoder_processes import DecoderProcesses
from recommender.answering.library_map import MapHolder
from recommender.catalogue.database import Database
from recommender.catalogue.files import list_library_roots
from recommender.jobs.ledger import get_job
from recommender.jobs.queue import wake
from recommender.model.in_service import ModelHolder
from recommender.model.shelf import ModelShelf
from recommender.settings import Settings
from recommender.sources.web.reading import Web, open_web

EXTENSION = "whichlist"

Accepted = tuple[dict[str, Any], int, Mapping[str, str]]


@dataclass(frozen=True)
class Services:
    """Shared by all threads of the web process."""

    settings: Settings
    database: Database
    holder: ModelHolder
    shelf: ModelShelf
    metrics: Metrics
    apart: DecoderProcesses

    @cached_property
    def web(self) -> Web:
        """How this process talks to other servers."""
        return open_web(self.settings)

    @cached_property
    def maps(self) -> MapHolder:
        """The library on a plane."""
        return MapHolder(self.database, self.settings)

    def library_roots(self) -> Sequence[Path]:
        """Return the folders whose files callers may name: the operator's and the scanned ones."""
        with self.database.read_session() as session:
            return (*self.settings.library_roots, *list_library_roots(session))

    def accept(self, queue_job: Callable[[Any], int]) -> Accepted:
        """Queue a job in one transaction, wake the worker, and return the answer 202.

        ``queue_job`` takes the session, may change what the job is about, and returns the job's id.
        """
        with self.database.session() as session:
            job_id = queue_job(session)
        wake(self.settings)
        with self.database.read_session() as session:
            job = get_job(session, job_id)
        return {"job": job}, 202, {"Location": url_for("jobs.get_one", job_id=job_id)}


def services() -> Services:
    """Return the services of the application that handles this request."""
    return find_services(current_app)


def find_services(app: Flask) -> Services:
    """Return the services of ``app``."""
    found: Services = app.extensions[EXTENSION]
    return found
