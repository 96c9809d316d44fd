"""The tracks of an experiment: read in whatever layout they have, heard, and enough of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.records.tracks import known_artist
from recommender.settings import Settings
from training.datasets.fma import find_fma
from training.datasets.folder_tracks import HeardFolder, hear_folder
from training.datasets.labelled_tracks import LabelledTrack, LayoutError, SkippedFile, check_enough
from training.datasets.layouts import read_layout
from training.datasets.playlist_folders import TrackRow, name_in
from training.folds import Grouping
from training.groups.fit import GroupLabels, group_by_artist
from training.groups.fitting import FitContext, default_choice
from training.groups.labels import LabelledTracks
from training.recipes.recipe import DataChoices

IdArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Progress = Callable[[int, int, str], None]

# With fewer, a label cannot be learnt from while another track of it is asked for.
MIN_TRACKS = 2
REST = "the others"


@dataclass(frozen=True, eq=False)
class ExperimentTracks:
    """What an experiment is done on.

    Attributes
    ----------
    files : tuple of Path
        Of the tracks, in their order.
    titles : tuple of str
    labels : GroupLabels
    tracks : training.groups.labels.LabelledTracks
        With the base encoder's vectors, which the simple methods and the service's own heads use.
    grouping : Grouping
        What is never separated by a fold.
    parts : tuple of str
        Of the published split, each ``train``, ``validation``, ``test`` or empty.
    skipped : tuple of SkippedFile
    notes : tuple of str
        What a reader of the figures has to know of the data set.
    """

    folder: Path
    layout: str
    notes: tuple[str, ...]
    encoder: str
    context: FitContext
    files: tuple[Path, ...]
    titles: tuple[str, ...]
    labels: GroupLabels
    tracks: LabelledTracks
    grouping: Grouping
    parts: tuple[str, ...]
    skipped: tuple[SkippedFile, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The labels' names."""
        return self.labels.playlist_names

    @property
    def own(self) -> IdArray:
        """(n_tracks,) int64: the label of each track."""
        label: IdArray = self.tracks.membership.argmax(axis=1)
        return label

    def relative(self, row: int) -> str:
        """Return a track's file as the report names it."""
        return name_in(self.folder, self.files[row])


def find_tracks(
    data: Path,
    choices: DataChoices,
    *,
    manifest: Path | None,
    settings: Settings,
    seed: int,
    progress: Progress,
) -> ExperimentTracks:
    """Return the tracks of a data folder that can be heard.

    Raises
    ------
    RecommenderError, ManifestError
        The folder is missing, empty or of another layout, or too little of it can be heard.
    """
    found = read_layout(
        data,
        choices.layout,
        labels=choices.labels or _published_labels(data, choices, manifest),
        manifest=manifest,
        subset=choices.subset,
        seed=seed,
        fewest=1,  # counted again below, of what can be heard and after playlists were put together
        # Each file is decoded right after, in a process that a broken one may kill.
        check_audio=False,
        progress=progress,
    )
    chosen = _draw(_against_the_rest(found.tracks, choices.liked), choices.tracks_per_label, seed=seed)
    rows = [TrackRow(track.path, track.label, track.artist, track.title, track.album) for track in chosen]
    heard = hear_folder(rows, settings, progress=progress)
    failed = [SkippedFile(row.file, code, why) for row, code, why in heard.failed]
    skipped = (*found.skipped, *failed)
    there = {row.file for row in heard.rows}
    names = sorted({track.label for track in chosen})
    left = [track for track in chosen if track.path in there]
    check_enough(data, left, names, fewest=MIN_TRACKS, n_skipped=len(skipped))
    part_of = {track.path: track.part for track in chosen}
    labels, tracks = _label(heard)
    context = FitContext(heard.config.view_slices(), heard.raw[:0], seed)
    return ExperimentTracks(
        folder=data,
        layout=found.layout,
        notes=found.notes,
        encoder=heard.config.name,
        context=context,
        files=tuple(row.file for row in heard.rows),
        titles=tuple(row.title for row in heard.rows),
        labels=labels,
        tracks=tracks,
        grouping=group_by_artist(tracks, context, default_choice(context.views)),
        parts=tuple(part_of[row.file] for row in heard.rows),
        skipped=skipped,
    )


def _published_labels(data: Path, choices: DataChoices, manifest: Path | None) -> tuple[str, ...]:
    """Return the genres that a recipe names for the data set it was written for; other data has others."""
    is_fma = manifest is None and data.is_dir() and find_fma(data) is not None
    return choices.fma_genres if is_fma else ()


def _against_the_rest(tracks: Sequence[LabelledTrack], liked: str) -> Sequence[LabelledTrack]:
    if not liked:
        return tracks
    names = sorted({track.label for track in tracks})
    if liked not in names:
        raise LayoutError(f"data.liked is {liked!r}, but the playlists are {', '.join(names)}")
    return [track if track.label == liked else replace(track, label=REST) for track in tracks]


def _draw(tracks: Sequence[LabelledTrack], n_tracks: int, *, seed: int) -> Sequence[LabelledTrack]:
    """Return at most ``n_tracks`` of each label, drawn by the seed, in their old order."""
    if not n_tracks:
        return tracks
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(tracks))
    taken: dict[str, int] = {}
    kept = []
    for row in order.tolist():
        label = tracks[row].label
        taken[label] = taken.get(label, 0) + 1
        if taken[label] <= n_tracks:
            kept.append(row)
    return [tracks[row] for row in sorted(kept)]


def _label(heard: HeardFolder) -> tuple[GroupLabels, LabelledTracks]:
    names = tuple(sorted({row.playlist for row in heard.rows}, key=lambda name: (name == REST, name)))
    tracks = LabelledTracks(
        track_ids=np.arange(len(heard.rows)),
        raw=heard.raw,
        membership=np.array([[row.playlist == name for name in names] for row in heard.rows]),
        artists=tuple(known_artist(row.artist) for row in heard.rows),
        albums=tuple(row.album for row in heard.rows),
        durations_s=heard.durations_s,
    )
    return GroupLabels(0, "default", np.arange(len(names)), names), tracks
