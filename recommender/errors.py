"""What can go wrong between the catalogue and an answer, each with a stable code and a sentence."""


class RecommenderError(Exception):
    """A request, a setting or a stored row that cannot be served as it is.

    Attributes
    ----------
    code : str
        Stable, machine-readable name of the reason; it reaches jobs, reports and HTTP problems.
    """

    code = "recommender_error"


class SettingsError(RecommenderError):
    """A setting has a value that cannot be used; the message names the setting and the value."""

    code = "bad_setting"


class SchemaOutdated(RecommenderError):
    """The database's tables are not those of this program; the message says which command helps."""

    code = "schema_outdated"


class DatabaseUnreachable(RecommenderError):
    """The database does not answer, or the file is no database."""

    code = "database_unreachable"


class MissingLibrary(RecommenderError):
    """This installation lacks what trains and draws."""

    code = "missing_library"

    @classmethod
    def named(cls, name: str | None) -> "MissingLibrary":
        """The error for the library of this name."""
        return cls(f"this installation lacks {name}, which trains, judges or draws")


class TryDied(RecommenderError):
    """What did the work died; another try may go better."""

    code = "worker_died"


class NotInCatalogue(RecommenderError):
    """Something was asked for that the catalogue does not hold."""

    code = "not_found"


class NoSuchTrack(NotInCatalogue):
    """No track answers to the reference."""

    code = "track_not_found"


class NoSuchPlaylist(NotInCatalogue):
    """No playlist has this id or name."""

    code = "playlist_not_found"


class NoSuchGroup(NotInCatalogue):
    """No playlist group has this id or name."""

    code = "group_not_found"


class NoSuchBundle(NotInCatalogue):
    """No bundle has this id."""

    code = "model_not_found"


class NoSuchEmbedding(NotInCatalogue):
    """The track has not been heard by this encoder."""

    code = "embedding_not_found"


class NoSuchJob(NotInCatalogue):
    """No job has this id."""

    code = "job_not_found"


class NoSuchFeed(NotInCatalogue):
    """No feed has this id."""

    code = "feed_not_found"


class NoSuchRow(NotInCatalogue):
    """An imported playlist has no row of this number that names a track."""

    code = "row_not_found"


class PlaylistExists(RecommenderError):
    """The group already has a playlist of this name."""

    code = "playlist_exists"


class FollowsNothing(RecommenderError):
    """A playlist came from nowhere that can be asked again, or is its owner's since."""

    code = "follows_nothing"


class OutsideLibrary(RecommenderError):
    """A path does not lie under any library root; whether it exists is never said."""

    code = "outside_library"


class UnreadableFolder(RecommenderError):
    """A folder is missing, is not a folder, or may not be read."""

    code = "unreadable_folder"


class NoAudio(RecommenderError):
    """A folder holds nothing that could be listened to."""

    code = "no_audio"


class ChampionChanged(RecommenderError):
    """Another bundle came into service while this one was being fitted."""

    code = "champion_changed"


class LeaseLost(RecommenderError):
    """Another worker holds the job now, so this one's result must not be recorded."""

    code = "lease_lost"


class CannotHelp(RecommenderError):
    """A worker cannot do steps of a job that another worker shares; the message says what it lacks."""

    code = "cannot_help"


class JobCancelled(RecommenderError):
    """Somebody asked for the job to stop."""

    code = "cancelled"


class SourceError(RecommenderError):
    """A source of playlists or releases cannot be read; nothing was taken from it."""

    code = "source_error"


class UnreadableSource(SourceError):
    """A file or an answer is not of the format it claims, or of none that is known."""

    code = "unreadable_source"


class SourceUnavailable(SourceError):
    """A server does not answer, answers with an error, or was left alone after too many of them."""

    code = "source_unavailable"


class RateLimited(SourceError):
    """A server asks to wait longer than a caller should; ``retry_after_s`` says how long, None if unsaid."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after_s: float | None = None, quota: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.quota = quota


class ForbiddenAddress(SourceError):
    """An address that untrusted input may not make this program visit."""

    code = "forbidden_address"
