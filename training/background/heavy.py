"""What a job leaves to a process of its own: all that imports TensorFlow, or draws."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from embeddings.encoder_files import is_up_to_date, load_encoder_config
from recommender.catalogue.database import Database, open_database
from recommender.settings import Settings
from training.apart import Progress, run_apart

_HERE = "training.background.heavy"


def export_encoder_apart(settings: Settings) -> Path:
    """Directory of the encoder to begin with, exported in another process if it never was."""
    from training.encoder.available import base_encoder_name, find_base

    found = find_base(settings.encoders_directory, base_encoder_name(settings))
    if found is not None and is_up_to_date(load_encoder_config(found)):
        return found
    directory: Path = run_apart("training.encoder.export:ensure_encoder", settings=settings)
    return directory


def train_apart(
    database: Database, settings: Settings, *, encoder_directory: Path, progress: Progress
) -> dict[str, Any]:
    """Fit the encoder anew and judge it against the one in service; what came of it."""
    result: dict[str, Any] = run_apart(
        f"{_HERE}:train", settings=settings, encoder_directory=encoder_directory, progress=progress
    )
    return result


def renew_apart(database: Database, settings: Settings, *, progress: Progress) -> dict[str, Any] | None:
    """Hear the library again if an earlier program heard it; what came of that."""
    from training.challenge.renewal import outdated_encoder

    if outdated_encoder(database, settings) is None:
        return None
    result: dict[str, Any] | None = run_apart(f"{_HERE}:renew", settings=settings, progress=progress)
    return result


def judge_apart(
    database: Database, settings: Settings, *, progress: Progress, bundle_id: str | None = None
) -> dict[str, Any]:
    """Judge a bundle, that in service unless another is named, and keep its score card, which comes back."""
    result: dict[str, Any] = run_apart(
        f"{_HERE}:judge", settings=settings, progress=progress, bundle_id=bundle_id
    )
    return result


def draw_apart(database: Database, settings: Settings) -> str:
    """Draw the map of the library."""
    drawn: str = run_apart(f"{_HERE}:draw", settings=settings)
    return drawn


def train(*, settings: Settings, encoder_directory: Path, progress: Progress) -> dict[str, Any]:
    """Done in the other process."""
    from training.challenge.challenger import train_challenger

    def tell(n_done: int, n_total: int, message: str = "") -> None:
        # The figures of an epoch are in the model's report; whoever waits wants to know how long.
        is_epoch = message.startswith("epoch ")
        progress(n_done, n_total, f"learning: round {n_done} of at most {n_total}" if is_epoch else message)

    return train_challenger(
        open_database(settings), settings, encoder_directory=encoder_directory, progress=tell
    )


def renew(*, settings: Settings, progress: Progress) -> dict[str, Any] | None:
    """Done in the other process."""
    from training.challenge.renewal import renew_front_end

    renewal = renew_front_end(open_database(settings), settings, progress=progress)
    return None if renewal is None else asdict(renewal)


def judge(*, settings: Settings, progress: Progress, bundle_id: str | None = None) -> dict[str, Any]:
    """Done in the other process."""
    from training.judging.scorecard import judge_champion

    return judge_champion(open_database(settings), settings, bundle_id=bundle_id, progress=progress)


def draw(*, settings: Settings) -> str:
    """Done in the other process."""
    from training.judging.maps import draw_library

    return draw_library(open_database(settings), settings)
