"""Playlist files of every kind, nearly right: each is read or refused in a sentence, never a traceback."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.errors import SourceError
from recommender.sources.files.reading import read_playlists
from tests.nearly_right import damaged
from tests.playlist_exports import Export, exports

N_EXAMPLES = 20


@pytest.mark.parametrize("export", list(exports()), ids=lambda export: f"{export.written_by}: {export.name}")
def test_a_damaged_list_is_read_or_refused_in_a_sentence(export: Export) -> None:
    @settings(max_examples=N_EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from([export.name, f"x{export.name}"]), damaged(export.data))
    def holds(name: str, data: bytes) -> None:
        try:
            lists = read_playlists(data, name=name)
        except SourceError as refusal:
            assert str(refusal).strip()
            assert "Traceback" not in str(refusal)
            return
        for playlist in lists:
            for row in playlist.rows:  # what a database and a page can hold
                (row.title + row.artist + row.album).encode("utf-8", "surrogateescape")
                assert "\0" not in row.title + row.artist + row.album

    holds()
