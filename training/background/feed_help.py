"""Helping another worker with a feed: that one finds, scores and counts, this one listens to some files."""

from collections.abc import Callable
from pathlib import Path

from recommender.catalogue.models import list_bundles
from recommender.errors import CannotHelp
from recommender.jobs.run import JobRun
from recommender.settings import Settings
from training.encoder.available import encoder_of
from training.listening.scanning import Ears, listen_to_items


def help_listening(
    run: JobRun, settings: Settings, open_ears: Callable[[Settings, Path], Ears]
) -> dict[str, int]:
    """Listen to files of a job that another worker holds, until none waits.

    Raises
    ------
    CannotHelp
        This worker does not see the encoder or the files that the other one does.
    """
    assert run.claim.sharing is not None
    ears = open_ears(settings, _encoder(run, settings, run.claim.sharing["fingerprint"]))
    return {"n_heard": listen_to_items(run, settings, ears, follower=_Quiet(run))}


class _Quiet:
    """Tells nobody: the worker that holds the job does, for both."""

    def __init__(self, run: JobRun) -> None:
        self._run = run

    def over(self, path: Path) -> None:
        """The other worker finds out by itself."""

    def tell(self) -> None:
        """Stop when it is time."""
        self._run.check()


def _encoder(run: JobRun, settings: Settings, fingerprint: str) -> Path:
    with run.database.read_session() as session:
        fitted = [bundle for bundle in list_bundles(session) if bundle.fingerprint == fingerprint]
    for bundle in fitted:
        found = encoder_of(settings, bundle)
        if found is not None:
            return found
    raise CannotHelp(
        f"the encoder {fingerprint} is not in {str(settings.data)!r}: workers on several machines need the"
        " folders `encoders` and `bundles` of one data folder"
    )
