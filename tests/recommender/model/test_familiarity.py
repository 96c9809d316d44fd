"""Whose artist is known: spellings, members themselves, and tracks that nobody names."""

import pytest

from recommender.model.familiarity import NOBODY, Familiarity, MemberArtists, artist_key

NEW, KNOWN, UNNAMED = Familiarity.NEW, Familiarity.KNOWN, Familiarity.UNNAMED
MEMBERS = MemberArtists(tuple(map(artist_key, ["Eric Skiff", "Eric Skiff", "Azureflux", "unknown artist"])))


@pytest.mark.parametrize(
    ("artist", "kind"),
    [
        ("Eric Skiff", KNOWN),
        ("  eric   SKIFF ", KNOWN),
        ("AZUREFLUX", KNOWN),
        ("Somebody Else", NEW),
        ("", UNNAMED),
        ("   ", UNNAMED),
        ("unknown artist", UNNAMED),
    ],
)
def test_how_familiar_an_artist_is(artist: str, kind: Familiarity) -> None:
    assert MEMBERS.familiarity([artist]).tolist() == [kind]


def test_a_member_does_not_speak_for_itself() -> None:
    """Of two tracks by one artist the other is left, of one none."""
    kinds = MEMBERS.familiarity(["Eric Skiff", "Azureflux", "Azureflux"], [[0], [2], []])
    assert kinds.tolist() == [KNOWN, NEW, KNOWN]


def test_where_no_member_has_an_artist_nobody_can_be_told_to_be_new() -> None:
    for members in (NOBODY, MemberArtists(("", ""))):
        assert members.familiarity(["Eric Skiff", ""]).tolist() == [UNNAMED, UNNAMED]


def test_of_no_track_there_is_nothing_to_say() -> None:
    assert MEMBERS.familiarity([]).shape == (0,)


def test_every_kind_has_a_word() -> None:
    assert len({kind.label for kind in Familiarity}) == len(Familiarity) == 3
