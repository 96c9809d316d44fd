"""What an answer comes to in words: one playlist as one, two as two, a stranger with the nearest named."""

from dataclasses import replace

import pytest

from recommender.answering.answer import (
    AskedTrack,
    Kept,
    PlaylistRef,
    RankedPlaylist,
    Recommendation,
    verdict_of,
)
from recommender.answering.headline import explanation, headline

PROBABILITIES = {"chiptune": 0.83, "fantasy": 0.1, "platformer": 0.05, "hip hop": 0.02}


def answer(
    *fits: str, said: dict[str, str] | None = None, p: float = 0.5, **probabilities: float
) -> Recommendation:
    """An answer in which the given playlists are named."""
    rows = probabilities or PROBABILITIES
    playlists = tuple(
        RankedPlaylist(
            id=number,
            name=name.replace("_", " "),
            rank=number,
            probability=probability,
            fits=name in fits,
            p_value=0.5,
            classifier=probability,
            neighbours=probability,
            note="",
            nearest=(),
            model_fits=name in fits,
            said=(said or {}).get(name),
        )
        for number, (name, probability) in enumerate(rows.items(), start=1)
    )
    return Recommendation(
        track=AskedTrack(None, "a", "b", 1.0),
        group="default",
        model="1",
        encoder="tiny",
        verdict=verdict_of(len(fits)),
        alpha=0.1,
        alpha_none=0.05,
        stranger_p_value=p,
        familiarity="known_artist",
        kept=Kept(0.93, "own"),
        member_of=(),
        playlists=playlists,
        similar=(),
        segments=(),
        timing_ms={},
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (answer("chiptune"), "Put it in chiptune."),
        (answer("a", a=0.55, b=0.2, c=0.25), "Probably a."),
        (answer("a", a=0.6, b=0.31, c=0.09), "Probably a."),
        (answer("a", a=0.6, b=0.3, c=0.1), "Put it in a."),
        (answer("chiptune", "fantasy"), "chiptune or fantasy."),
        (answer("chiptune", "fantasy", "platformer"), "chiptune, fantasy or platformer."),
        (answer(p=0.01), "None of yours. The nearest is chiptune."),
        (answer("only", only=1.0), "It could be in only. A second playlist is needed to say what is not."),
        (answer(only=1.0, p=0.01), "None of yours. The nearest is only."),
        (answer("fantasy", said={"fantasy": "right"}), "You put it in fantasy."),
        (
            answer("fantasy", "platformer", said={"fantasy": "right", "platformer": "right"}),
            "You put it in fantasy and platformer.",
        ),
        (answer(said={"chiptune": "wrong"}), "None of yours. The nearest is fantasy."),
        (replace(answer(), playlists=()), "There is nothing to compare it with."),
    ],
)
def test_the_headline(given: Recommendation, words: str) -> None:
    assert headline(given) == words


def test_why_nothing_fits_is_said_beside_a_high_percentage() -> None:
    words = explanation(answer(p=0.012))
    assert words.startswith(
        "Of the tracks that belong into one of these playlists, 1 % lie as far from all of them"
    )
    assert "up to 5 %, none is named" in words
    assert "The percentages only compare the playlists with each other." in words


def test_how_often_such_answers_were_right() -> None:
    one = answer("chiptune")
    assert explanation(one) == (
        "Tracks by artists in your playlists, asked about as if they were new, had their own playlist among"
        " those named 93 % of the time."
    )
    assert "those by artists who are new to your playlists are too few" in explanation(
        replace(one, familiarity="new_artist", kept=Kept(0.9, "pooled"))
    )
    for kept in (Kept(None, "none"), Kept(1.0, "none")):
        assert "too few tracks to say" in explanation(replace(one, kept=kept))


def test_after_the_user_s_word_the_model_explains_nothing_that_it_did_not_decide() -> None:
    assert explanation(answer("fantasy", said={"fantasy": "right"})) == ""
    assert "ruled out" in explanation(answer(said={"chiptune": "wrong"}))


@pytest.mark.parametrize(
    ("home", "words"),
    [
        ("chiptune", "It is in chiptune, and sounds unlike what you have."),
        ("fantasy", "It is in fantasy, and sounds unlike what you have. The nearest is chiptune."),
    ],
)
def test_where_a_track_is_already_is_never_denied(home: str, words: str) -> None:
    unlike = replace(answer(p=0.04), member_of=(PlaylistRef(1, home),))
    assert headline(unlike) == words
