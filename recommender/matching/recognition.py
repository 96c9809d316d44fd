"""Tracks without a MusicBrainz recording id learn it from what they sound like: fpcalc, then AcoustID."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from recommender.audio_files.playback import AudioMissing
from recommender.catalogue.acoustid import NamelessTrack, ScannedFile, record_lookup, tracks_without_mbid
from recommender.catalogue.database import Database
from recommender.catalogue.identities import NamedTrack
from recommender.errors import RecommenderError
from recommender.matching.recording_choice import Outcome, Recognised, choose_recordings
from recommender.settings import Settings
from recommender.sources.servers.acoustid import AcoustId, find_acoustid, look_up
from recommender.sources.servers.fpcalc import TIMEOUT_S, NoChromaprint, find_fpcalc, read_chromaprint
from recommender.sources.web.reading import Web, open_web

Progress = Callable[[int, int, str], None]


class NoFpcalc(RecommenderError):
    """The program that makes Chromaprints is not on the PATH."""

    code = "no_fpcalc"


@dataclass(frozen=True)
class Recogniser:
    """What hears and what is asked."""

    program: str
    server: AcoustId
    web: Web
    timeout_s: float = TIMEOUT_S


@dataclass(frozen=True)
class Heard:
    """What became of one track: an answer, or the code and the sentence of why it was set aside."""

    track: NamedTrack
    answer: Recognised | None
    code: str = ""
    error: str = ""

    @property
    def outcome(self) -> str:
        """One word for it."""
        return self.code if self.answer is None else self.answer.outcome


@dataclass(frozen=True)
class ToRecognise:
    """The tracks to ask about, and how many more were asked about before."""

    tracks: tuple[NamelessTrack, ...]
    n_asked_before: int


def find_recogniser(settings: Settings, *, web: Web | None = None) -> Recogniser:
    """What the operator has set up.

    Raises
    ------
    NoFpcalc, SettingsError
        There is no fpcalc, or no key for AcoustID.
    """
    program = find_fpcalc()
    if program is None:
        raise NoFpcalc(
            "fpcalc is not on the PATH, and nothing else makes the Chromaprints that AcoustID knows"
        )
    return Recogniser(program, find_acoustid(settings), web or open_web(settings))


def list_to_recognise(
    database: Database, *, playlist_id: int | None = None, again: bool = False
) -> ToRecognise:
    """The tracks without a MusicBrainz id that nobody asked about yet, or ``again`` all of them."""
    with database.read_session() as session:
        nameless = tracks_without_mbid(session, playlist_id=playlist_id)
    new = tuple(entry for entry in nameless if again or not entry.outcome)
    return ToRecognise(new, len(nameless) - len(new))


def recognise(
    database: Database, recogniser: Recogniser, tracks: Sequence[NamelessTrack], *, progress: Progress
) -> Iterator[Heard]:
    """What becomes of each track, in order; each is remembered before the next one is asked about.

    Raises
    ------
    SettingsError, SourceError
        AcoustID does not answer, or not to this key; what came before is kept.
    """
    for n_done, nameless in enumerate(tracks):
        progress(n_done, len(tracks), f"asking: {nameless.track.title}")
        yield _recognise(database, recogniser, nameless)
    progress(len(tracks), len(tracks), "done")


def _recognise(database: Database, recogniser: Recogniser, nameless: NamelessTrack) -> Heard:
    track = nameless.track
    try:
        path = _unchanged_file(nameless.files)
        chromaprint = read_chromaprint(recogniser.program, path, timeout_s=recogniser.timeout_s)
        answer = choose_recordings(track, look_up(recogniser.web, recogniser.server, chromaprint))
    except AudioMissing as error:  # it may be back tomorrow
        return Heard(track, None, error.code, str(error))
    except NoChromaprint as error:
        _remember(database, track, error.code, Recognised(Outcome.UNKNOWN))
        return Heard(track, None, error.code, str(error))
    _remember(database, track, answer.outcome, answer)
    return Heard(track, answer)


def _remember(database: Database, track: NamedTrack, outcome: str, answer: Recognised) -> None:
    is_named = answer.outcome is Outcome.NAMED
    mbids = [recording.mbid for recording in answer.recordings] if is_named else []
    with database.session() as session:
        record_lookup(session, track.id, outcome, acoustid=answer.acoustid, score=answer.score, mbids=mbids)


def _unchanged_file(files: Sequence[ScannedFile]) -> Path:
    """A file of the track that is still as it was when it was heard: fpcalc is handed no other."""
    for path, size, mtime_ns in files:
        try:
            found = path.stat()
        except OSError:
            continue
        if (found.st_size, found.st_mtime_ns) == (size, mtime_ns):
            return path
    raise AudioMissing("its file is not where it was, or has changed since it was scanned")
