"""An invented library whose tags are damaged as real ones are, and playlists that name its recordings.

The recipe. A world of recordings comes first: artists of about eight songs each, and of every third song
other recordings too (live in one or two places, two remixes, acoustic, instrumental, demo, radio edit,
extended, with another singer, recorded anew), each of its own length and ISRC. It is made to confuse: one
title in six is one of forty words that everybody uses (Intro, Home, Hello; an artist may have two of one),
others are covers of another artist's song, differ from a song of the same artist in one letter, a number or
a part ("Pt. 2", "II"), begin or end with a bracket, or are written in one of seven scripts; artists are
called "The …", "… & …", "…, … and …", one common word, or carry marks on their letters. About seven
recordings in ten are in the library: of a song it may hold the live recording only, or all but the one that
is asked for.

Each file's tags are then written in a manner of their own (:func:`tag_recording`): guests in the title, in
the artist, joined with "&", or left out; versions in brackets, after a dash, or bare; editions ("2011
Remaster") added to one in eight. And damaged: case (8 %), marks lost (15 % of those that have them), typing
errors (1.5 %), artist and title swapped (1.5 %), titles cut at 30 characters (4 %), no artist (2 %, half of
these with both in the title), no album (6 %), no length (1 %), lengths up to 2 s off, ISRC missing (60 %),
that of another track of the album (0.5 %), MusicBrainz id missing (70 %); 3 % are there twice, on an album
and on a collection.

A playlist's rows (:func:`ask_for`) name a recording in a manner of their own again, through what each kind of
playlist carries: paths of this machine or of another, lengths in seconds or milliseconds, ISRCs or none, all
artists or the first, album or none, and typing errors, case and cuts as above. Three rows in ten ask for a
recording that the library does not have.
"""

import random
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from recommender.records.rows import ISRC, MBID, SourceRow
from recommender.records.tracks import TrackFacts

COMMON_TITLES = (
    *("Intro", "Home", "Hello", "Runaway", "Stay", "Alive", "Forever", "Angel", "Paradise", "Fire", "Rain"),
    *("Heaven", "Crazy", "Beautiful", "Sorry", "Closer", "Dreams", "Ghost", "Gold", "Higher", "Untitled"),
    *("Interlude", "Outro", "Lost", "Magic", "Moon", "Power", "Radio", "Shadow", "Stars", "Sunday", "Wild"),
    *("Without You", "Let It Go", "I Love You", "Crying", "Summertime", "Live", "One", "Time"),
)
ADJECTIVES = (
    *("silver", "broken", "electric", "hollow", "golden", "distant", "burning", "quiet", "velvet", "crooked"),
    *("frozen", "restless", "paper", "scarlet", "empty", "endless", "wicked", "gentle", "northern", "hidden"),
    *("plastic", "sacred", "lonely", "heavy", "tender", "bitter", "drunken", "faded", "ancient", "midnight"),
)
NOUNS = (
    *("river", "mirror", "engine", "garden", "window", "stranger", "thunder", "harbour", "letter", "machine"),
    *(
        "island",
        "soldier",
        "candle",
        "highway",
        "feather",
        "kingdom",
        "shelter",
        "cathedral",
        "sparrow",
        "ocean",
    ),
    *("market", "hotel", "signal", "planet", "circus", "desert", "lantern", "orchard", "bridge", "station"),
    *("tiger", "sailor", "winter", "mountain", "diamond", "bullet", "shadow", "dancer", "winner", "answer"),
)
VERBS = (
    "dance",
    "wait",
    "run",
    "breathe",
    "fall",
    "wake",
    "believe",
    "burn",
    "drift",
    "remember",
    "sing",
    "fly",
)
FIRST = (
    *(
        "Mira",
        "José",
        "Björn",
        "Anaïs",
        "Zoë",
        "Łukasz",
        "Søren",
        "Renée",
        "Chloé",
        "Iñigo",
        "Jürgen",
        "Tomáš",
    ),
    *("Nina", "Carl", "Ada", "Leon", "Ruth", "Omar", "Ivy", "Hugo", "Dora", "Felix", "Esther", "Max", "June"),
)
LAST = (
    *(
        "Vale",
        "Müller",
        "Ångström",
        "Núñez",
        "O'Hara",
        "D'Angelo",
        "Krol",
        "Whitlock",
        "Çelik",
        "Dvořák",
        "Ray",
    ),
    *(
        "Hart",
        "Okafor",
        "Lindqvist",
        "Marsh",
        "Beaumont",
        "Sato",
        "Keller",
        "Stone",
        "Fontaine",
        "Novák",
        "Lee",
    ),
)
# (words, what stands between two of them)
SCRIPTS = (
    ("Ленин Град Звезда Кино Ночь Город Снег Волна Группа Крови Мой Ёлка Небо Река Песня Дом", " "),
    ("東京 事変 椎名 残酷 天使 桜 夜 恋 空 海 星 花火 千本 音楽 雪国 旅人", ""),
    ("さくら ガラス きみ ドキドキ ベイビー ナイト パレード はなび ハート ブルー", ""),
    ("사랑 봄날 그대 밤 하늘 바다 노래 소녀 시대 겨울 나비 거리", " "),
    ("Νύχτα Θάλασσα Καρδιά Ήλιος Δρόμος Φωτιά Ουρανός Αγάπη Βροχή", " "),
    ("ليل حب قمر قلب بحر شمس مدينة روح طريق", " "),
    ("दिल रात प्यार चाँद सपना बारिश गीत हवा", " "),
)
PLACES = ("Wembley", "the Roxy", "Leeds", "Paris", "Tokyo Dome", "KEXP", "Montreux", "the BBC", "Red Rocks")
ALBUM_WORDS = ("Nights", "Stories", "Colours", "Machines", "Letters", "Years", "Echoes", "Maps")


@dataclass(frozen=True)
class Recording:
    """What was really recorded; ``version`` is (kind, whose or where), empty for the studio's own."""

    id: int
    artist: str
    title: str
    album: str
    duration_s: float
    isrc: str
    mbid: str
    guests: tuple[str, ...] = ()
    version: tuple[str, str] = ("", "")
    is_latin: bool = True


@dataclass(frozen=True)
class LibraryTrack:
    """A file with its tags; ``recording`` is the truth behind them."""

    recording: Recording
    facts: TrackFacts
    path: str


@dataclass(frozen=True)
class AskedRow:
    """A row of a playlist; ``recording`` is what it means."""

    kind: str
    recording: Recording
    row: SourceRow


@dataclass
class DamagedLibrary:
    """A library, the recordings that it does not have, and what may be asked for."""

    tracks: list[LibraryTrack]
    absent: list[Recording]
    rng: random.Random
    by_recording: dict[int, list[LibraryTrack]] = field(default_factory=lambda: defaultdict(list))

    def rows(self, n_rows: int, *, absent_share: float = 0.3) -> Iterator[AskedRow]:
        """Rows of every kind in turn, for recordings present and absent."""
        kinds = list(KINDS)
        for number in range(n_rows):
            kind = kinds[number % len(kinds)]
            if self.rng.random() < absent_share:
                recording = self.rng.choice(self.absent)
                yield AskedRow(kind, recording, ask_for(self.rng, kind, recording, None))
            else:
                track = self.rng.choice(self.tracks)
                yield AskedRow(kind, track.recording, ask_for(self.rng, kind, track.recording, track))


def make_library(*, n_tracks: int, seed: int) -> DamagedLibrary:
    """A library of about ``n_tracks`` files; the same one for the same seed."""
    rng = random.Random(seed)
    library = DamagedLibrary([], [], rng)
    world = _record(rng)
    albums: dict[tuple[str, str], list[Recording]] = defaultdict(list)
    paths: set[str] = set()
    while len(library.tracks) < n_tracks:
        recording = next(world)
        if rng.random() < 0.28:
            library.absent.append(recording)
            continue
        mates = albums[recording.artist, recording.album]
        mates.append(recording)
        for copy in range(2 if rng.random() < 0.03 else 1):
            facts = tag_recording(rng, recording, mates, is_copy=copy > 0)
            path = _path(rng, recording, facts, len(library.tracks))
            path = f"{path}.mp3" if path in paths else path
            paths.add(path)
            track = LibraryTrack(recording, facts, path)
            library.tracks.append(track)
            library.by_recording[recording.id].append(track)
    return library


def _record(rng: random.Random) -> Iterator[Recording]:
    """Recordings without end, artist by artist."""
    names: set[str] = set()
    songs: list[str] = []
    number = 0
    while True:
        artist, script = _invent_artist(rng)
        if artist in names:
            artist += f" {rng.choice(LAST)}"
        if artist in names:
            continue
        names.add(artist)
        titles: list[str] = []
        for _ in range(rng.randint(3, 14)):
            title = _invent_title(rng, script, titles, songs)
            if title in titles and (title not in COMMON_TITLES or rng.random() < 0.5):
                continue
            titles.append(title)
            songs.append(title)
            for recording in _record_song(rng, artist, title, is_latin=script is None):
                number += 1
                yield replace(recording, id=number, isrc=f"XX{rng.choice('ABC')}{number:09d}"[:12])


def _record_song(rng: random.Random, artist: str, title: str, *, is_latin: bool) -> Iterator[Recording]:
    guest = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
    studio = Recording(
        id=0,
        artist=artist,
        title=title,
        album=f"{rng.choice(ADJECTIVES).title()} {rng.choice(ALBUM_WORDS)}",
        duration_s=rng.uniform(95, 420),
        isrc="",
        mbid=str(UUID(int=rng.getrandbits(128))),
        guests=(guest,) if rng.random() < 0.13 else (),
        is_latin=is_latin,
    )
    yield studio
    if rng.random() > 0.33:
        return
    places = rng.sample(PLACES, 2)
    remixers = [f"{rng.choice(FIRST)} {rng.choice(LAST)}", f"DJ {rng.choice(NOUNS).title()}"]
    partner = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
    others = (
        *(("live", place) for place in places),
        *(("remix", name) for name in remixers),
        *((kind, "") for kind in ("acoustic", "instrumental", "demo", "radio edit", "extended mix")),
        ("with", partner),
        ("version", artist.split(maxsplit=1)[0] + "'s"),
        ("live", ""),
    )
    for kind, detail in rng.sample(others, rng.randint(1, 4)):
        near = kind in ("acoustic", "instrumental", "with", "demo")
        yield replace(
            studio,
            duration_s=studio.duration_s + rng.uniform(-3, 3) if near else rng.uniform(100, 420),
            album=f"{detail or kind.title()} {rng.choice(ALBUM_WORDS)}" if kind == "live" else studio.album,
            mbid=str(UUID(int=rng.getrandbits(128))),
            version=(kind, detail),
        )


def _invent_artist(rng: random.Random) -> tuple[str, int | None]:
    noun, other = (word.title() for word in rng.sample(NOUNS, 2))
    script = rng.randrange(len(SCRIPTS)) if rng.random() < 0.12 else None
    if script is not None:
        words, space = SCRIPTS[script]
        return space.join(rng.sample(words.split(), 2 if space else 3)), script
    first, last = rng.choice(FIRST), rng.choice(LAST)
    names = (
        f"The {rng.choice(ADJECTIVES).title()} {noun}s",
        f"{noun} & {other}",
        f"{noun}, {other} and {rng.choice(NOUNS).title()}",
        noun,
        f"{first} {last}",
        f"{first} {last}",
        f"{first} & The {noun}s",
        f"{noun[:2].upper()}/{other[:2].upper()}",
        f"DJ {noun} {rng.randint(2, 99)}",
        f"{rng.choice(ADJECTIVES).title()} {noun}",
        f"{first}, the {noun}",
    )
    return rng.choice(names), None


def _invent_title(rng: random.Random, script: int | None, own: list[str], songs: list[str]) -> str:
    if script is not None and rng.random() < 0.8:
        words, space = SCRIPTS[script]
        return space.join(rng.sample(words.split(), rng.randint(1, 3)))
    chance = rng.random()
    if chance < 0.16:
        return rng.choice(COMMON_TITLES)
    if chance < 0.22 and songs:  # a cover, or a title that two had the idea of
        return rng.choice(songs)
    if chance < 0.28 and own and own[-1].isascii():
        return rng.choice((f"{own[-1]}, Pt. 2", f"{own[-1]} II", f"{own[-1]} (Part 2)", f"{own[-1]}s"))
    adjective, noun, other = rng.choice(ADJECTIVES), rng.choice(NOUNS), rng.choice(NOUNS)
    title = rng.choice(
        (
            f"{adjective} {noun}",
            f"the {adjective} {noun}",
            f"{rng.choice(VERBS)} with the {noun}",
            f"{rng.choice(VERBS)} in the {adjective} {noun} of {other}s",
            f"{rng.randint(2, 99)} {noun}s",
            f"{noun} ({adjective} as the {other})",
            f"(never {rng.choice(VERBS)}) {noun}",
            f"{noun} & {other}",
            f"{noun} no. {rng.randint(1, 9)}",
            f"forever {rng.choice(VERBS)} without my {adjective} {noun}",
            noun,
            f"señorita {noun}",
        )
    ).title()
    return title.replace("Never ", "Don't ").replace("Forever ", "Can't ")


def tag_recording(
    rng: random.Random, recording: Recording, mates: Sequence[Recording], *, is_copy: bool
) -> TrackFacts:
    """What the tags of a file of this recording say."""
    artist, title = write_names(rng, recording, drops_guests=0.25)
    if rng.random() < 0.12:
        title += rng.choice((" - Remastered 2011", " (2009 Remaster)", " [Remastered]", " - 2015 Remaster"))
    artist, title = damage_names(rng, recording, artist, title)
    album = (
        "" if rng.random() < 0.06 else f"Best of {rng.randint(1980, 2020)}" if is_copy else recording.album
    )
    if rng.random() < 0.02:
        artist, title = "", f"{rng.randint(1, 19):02d} {artist} - {title}" if rng.random() < 0.5 else title
    identities = []
    if rng.random() < 0.4:
        isrc = rng.choice(mates).isrc if rng.random() < 0.012 else recording.isrc
        identities.append((ISRC, isrc))
    if rng.random() < 0.3:
        identities.append((MBID, recording.mbid))
    duration_s = None if rng.random() < 0.01 else recording.duration_s + _off(rng)
    return TrackFacts(title, artist, album, duration_s, identities=tuple(identities))


def write_names(rng: random.Random, recording: Recording, *, drops_guests: float) -> tuple[str, str]:
    """Artist and title of a recording, in one of the usual manners."""
    artist, title = recording.artist, recording.title
    kind, detail = recording.version
    guests = recording.guests
    if guests and rng.random() > drops_guests:
        word = rng.choice(("feat.", "ft.", "featuring", "Feat.", "feat"))
        if rng.random() < 0.6:
            title += rng.choice((f" ({word} {guests[0]})", f" [{word} {guests[0]}]", f" {word} {guests[0]}"))
        else:
            artist += rng.choice((f" {word} {guests[0]}", f" & {guests[0]}", f", {guests[0]}"))
    if kind == "with":
        title += f" (with {detail})"
    elif kind:
        title = _write_version(rng, title, kind, detail)
    if artist.startswith("The ") and rng.random() < 0.1:
        artist = rng.choice((artist[4:], f"{artist[4:]}, The"))
    if " & " in artist and rng.random() < 0.2:
        artist = artist.replace(" & ", rng.choice((" and ", " + ")))
    if "Pt. 2" in title and rng.random() < 0.5:
        title = title.replace(", Pt. 2", rng.choice((" (Part 2)", " Part II", " Pt 2", ", Part Two")))
    return artist, title


def _write_version(rng: random.Random, title: str, kind: str, detail: str) -> str:
    words = {
        "live": [f"Live at {detail}", f"Live from {detail}"] if detail else ["Live", "Live Version"],
        "remix": [f"{detail} Remix", f"{detail} Remix", f"{detail} Rmx"],
        "acoustic": ["Acoustic", "Acoustic Version"],
        "instrumental": ["Instrumental", "Instrumental Version"],
        "demo": ["Demo", "Demo Version"],
        "radio edit": ["Radio Edit", "Radio Edit", "Radio Version"],
        "extended mix": ["Extended Mix", "Extended Version", "Extended"],
        "version": [f"{detail} Version"],
    }[kind]
    said = rng.choice(words)
    if kind == "live" and detail and rng.random() < 0.08:
        said = "Live"
    return rng.choice((f"{title} ({said})", f"{title} ({said})", f"{title} - {said}", f"{title} [{said}]"))


def damage_names(rng: random.Random, recording: Recording, artist: str, title: str) -> tuple[str, str]:
    """What carelessness and old software make of them."""
    if rng.random() < 0.08:
        change = rng.choice((str.lower, str.upper))
        artist, title = change(artist), change(title)
    if recording.is_latin and rng.random() < 0.15:
        artist, title = _strip_marks(artist), _strip_marks(title)
    if rng.random() < 0.015:
        title = _mistype(rng, title)
    if rng.random() < 0.015:
        artist = _mistype(rng, artist)
    if rng.random() < 0.1:
        title = title.replace("'", "’").replace("&", "and")
    if rng.random() < 0.04:
        title = title[:30].rstrip() if rng.random() < 0.7 else title[:26].rstrip() + "…"
        title = title if len(title) >= 26 else title.removesuffix("…")
    if rng.random() < 0.015:
        artist, title = title, artist
    return artist, title


KINDS: dict[str, Callable[[random.Random, Recording, LibraryTrack | None], SourceRow]] = {}


def ask_for(rng: random.Random, kind: str, recording: Recording, track: LibraryTrack | None) -> SourceRow:
    """A row of a playlist of some kind that means this recording, and this file when there is one."""
    return KINDS[kind](rng, recording, track)


def _local_m3u(rng: random.Random, recording: Recording, track: LibraryTrack | None) -> SourceRow:
    """Written by a player on this machine: the path is right, or that of a file deleted since."""
    row = _names_row(rng, recording, album=False, length="s")
    gone = f"/music/{recording.artist}/{recording.album}/{recording.title} gone {recording.id}.flac"
    return replace(row, path=track.path if track else gone)


def _foreign_m3u(rng: random.Random, recording: Recording, track: LibraryTrack | None) -> SourceRow:
    """Written on another machine: the folders' names, or at least the file's, may be the same."""
    row = _names_row(rng, recording, album=False, length="s")
    if track is None:
        named = f"{recording.artist}\\{recording.album}\\{rng.randint(1, 15):02d} {recording.title}.mp3"
        return replace(row, path=f"D:\\Musik\\{named}")
    parts = track.path.split("/")[-rng.choice((1, 2, 3, 3)) :]
    tagless = rng.random() < 0.2
    path = "D:\\Musik\\" + "\\".join(parts)
    return replace(row, path=path) if not tagless else SourceRow(path=path, duration_s=row.duration_s)


def _names_row(
    rng: random.Random,
    recording: Recording,
    track: LibraryTrack | None = None,
    *,
    album: bool = True,
    length: str = "ms",
    ids: float = 0.0,
    scheme: str = ISRC,
    all_artists: bool = False,
) -> SourceRow:
    artist, title = write_names(rng, recording, drops_guests=0.2)
    if all_artists and recording.guests and rng.random() < 0.8:
        artist = f"{recording.artist}, {recording.guests[0]}"
    artist, title = damage_names(rng, recording, artist, title)
    if rng.random() < 0.07:
        title += " - Remastered"
    identities = ()
    if rng.random() < ids:
        identities = ((scheme, recording.isrc if scheme == ISRC else recording.mbid),)
    duration_s = recording.duration_s + _off(rng)
    exact = {"ms": round(duration_s, 3), "s": float(int(duration_s)), "": None}[length]
    if length and rng.random() < 0.03:
        exact = None
    edition = rng.choice((" (Deluxe Edition)", " [Remastered]")) if rng.random() < 0.1 else ""
    return SourceRow(
        title=title,
        artist=artist,
        album=recording.album + edition if album else "",
        duration_s=exact,
        identities=identities,
    )


def _one_line(rng: random.Random, recording: Recording, track: LibraryTrack | None) -> SourceRow:
    """ "artist - title", not taken apart where a video's name is all that there is."""
    row = _names_row(rng, recording, album=False, length="")
    return replace(row, artist="", title=f"{row.artist} - {row.title}") if rng.random() < 0.2 else row


KINDS |= {
    "m3u8, paths here": _local_m3u,
    "m3u, other machine": _foreign_m3u,
    "xspf": partial(_names_row, ids=0.3, scheme=MBID),
    "itunes xml": _names_row,
    "exportify csv": partial(_names_row, ids=0.5, all_artists=True),
    "soundiiz csv": partial(_names_row, ids=0.5, length=""),
    "plain text": _one_line,
}


def _path(rng: random.Random, recording: Recording, facts: TrackFacts, number: int) -> str:
    artist, title = (text.replace("/", "_") for text in (recording.artist, facts.title))
    place = rng.randint(1, 15)
    tail = "" if place < 14 else f" {number}"  # a file's name may be of no use on another machine
    return f"/music/{artist}/{facts.album or 'Unsorted'}/{place:02d} {title}{tail}.mp3"


def _off(rng: random.Random) -> float:
    """How far a stated length is off: rounding mostly, now and then the silence at the end."""
    return rng.gauss(0, 0.3) if rng.random() < 0.85 else rng.uniform(-2, 2)


def _strip_marks(text: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return bare.translate(str.maketrans("øØłŁ", "oOlL"))


def _mistype(rng: random.Random, text: str) -> str:
    if len(text) < 4:
        return text
    place = rng.randrange(1, len(text) - 1)
    other = rng.choice("abcdefghijklmnopqrstuvwxyz")
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return rng.choice((text[:place] + text[place + 1 :], text[:place] + other + text[place + 1 :], swapped))
