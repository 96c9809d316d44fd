"""The score card's pictures, each with its figures in the text alternative."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from training.report.svg import ACCENT, INK, MUTED, SERIES, entitle, render

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Card = Mapping[str, Any]

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", ">")
# Narrow enough that a telephone shows the text at its own size.
WIDTH_IN = 4.6
LONGEST_NAME = 18
# A map with more points is slow to show and shows no more.
MAX_POINTS = 3000


def draw_confusion(card: Card) -> str:
    """Counts of tracks: a row for each playlist, a column for each first answer."""
    counts, names = card["confusion"], [shorten(name) for name in card["labels"]]
    n = len(names)

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for row, line in enumerate(counts):
            for column, count in enumerate(line):
                share = count / max(1, sum(line))
                box = {"facecolor": ACCENT, "edgecolor": "none", "alpha": 0.75 * share}
                axes.axvspan(column - 0.5, column + 0.5, 1 - (row + 1) / n, 1 - row / n, **box)
                axes.text(column, row, str(count), ha="center", va="center", alpha=1 if count else 0.35)
        axes.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5), ylabel="in the playlist", xlabel="first answer")
        axes.set_xticks(range(n), names, rotation=35, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(n), names)
        axes.tick_params(length=0)
        axes.grid(visible=False)

    alt = "Confusion matrix; the table below holds the same counts."
    return render(draw, alt, width_in=max(WIDTH_IN, 1.5 + 0.42 * n), height_in=1.3 + 0.34 * n)


def draw_baselines(card: Card) -> str:
    """Balanced accuracy with its interval, beside the baselines on the same folds."""
    baselines = sorted(card["baselines"].items(), key=lambda item: item[1])
    low, high = card["balanced_accuracy_ci"]
    accuracy = card["balanced_accuracy"]

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        axes.barh(
            range(len(baselines)), [value for _, value in baselines], color=MUTED, alpha=0.5, height=0.6
        )
        axes.barh(len(baselines), accuracy, color=ACCENT, height=0.6)
        axes.plot([low, high], [len(baselines)] * 2, color=INK, linewidth=1.6)
        axes.set_yticks(range(len(baselines) + 1), [_words(name) for name, _ in baselines] + ["this model"])
        axes.set_xlim(0, 1)
        _show_percent(axes.xaxis)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("balanced accuracy")

    listed = ", ".join(f"{_words(name)} {value:.0%}" for name, value in reversed(baselines))
    return render(
        draw, f"This model {accuracy:.0%}; {listed}.", width_in=WIDTH_IN, height_in=0.8 + 0.3 * len(baselines)
    )


def draw_reliability(card: Card) -> str:
    """How often the first answer is right, against how probable it was called."""
    bins = card["reliability"]

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--")
        axes.plot([b["confidence"] for b in bins], [b["right"] for b in bins], color=ACCENT, marker="o", ms=4)
        axes.set(xlim=(0, 1), ylim=(-0.03, 1.03), xlabel="probability it gave", ylabel="share that was right")
        for axis in (axes.xaxis, axes.yaxis):
            _show_percent(axis)

    alt = (
        f"Reliability diagram, {len(bins)} bins of equal mass; expected calibration error {card['ece']:.3f}."
    )
    return render(draw, alt, width_in=WIDTH_IN, height_in=3.4)


def draw_coverage(card: Card) -> str:
    """For each playlist, the share of its own tracks for which it is named, with a 95 % interval."""
    shown = [playlist for playlist in card["playlists"] if playlist["coverage"] is not None]

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        axes.axvline(1 - card["alpha"], color=MUTED, linewidth=1, linestyle="--")
        for row, playlist in enumerate(shown):
            axes.plot(playlist["coverage_ci"], [row, row], color=ACCENT, linewidth=2, alpha=0.6)
            axes.plot(playlist["coverage"], row, color=ACCENT, marker="o", ms=5)
        axes.set_yticks(range(len(shown)), [shorten(playlist["name"]) for playlist in shown])
        axes.set(xlim=(0, 1.02), ylim=(len(shown) - 0.5, -0.5), xlabel="own tracks for which it is named")
        _show_percent(axes.xaxis)
        axes.grid(axis="y", visible=False)

    listed = ", ".join(f"{playlist['name']} {playlist['coverage']:.0%}" for playlist in shown)
    return render(
        draw,
        f"Promised {1 - card['alpha']:.0%}; {listed}.",
        width_in=WIDTH_IN,
        height_in=0.8 + 0.3 * max(1, len(shown)),
    )


def draw_strangers(card: Card) -> str:
    """Share of strangers caught against that of members turned away, and the point in use."""
    found = card["strangers"]
    turned_away = [point["members_turned_away"] for point in found["curve"]]
    caught = [point["strangers_caught"] for point in found["curve"]]

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--")
        axes.plot(turned_away, caught, color=ACCENT, linewidth=2)
        axes.plot(found["members_turned_away"], found["strangers_caught"], color=ACCENT, marker="o", ms=7)
        axes.set(xlim=(0, 0.55), ylim=(0, 1.02), xlabel="members turned away", ylabel="strangers caught")
        for axis in (axes.xaxis, axes.yaxis):
            _show_percent(axis)

    pairs = zip(turned_away, caught, strict=True)
    listed = ", ".join(f"{members:.0%} and {strangers:.0%}" for members, strangers in pairs)
    return render(
        draw, f"Members turned away and strangers caught: {listed}.", width_in=WIDTH_IN, height_in=3.0
    )


def draw_learning_curve(card: Card) -> str:
    """Balanced accuracy against how many tracks were learnt from."""
    points = card["learning_curve"]["points"]
    n_tracks = [point["n_tracks"] for point in points]

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        axes.fill_between(
            n_tracks,
            [point["low"] for point in points],
            [point["high"] for point in points],
            color=ACCENT,
            alpha=0.2,
            linewidth=0,
        )
        axes.plot(n_tracks, [point["balanced_accuracy"] for point in points], color=ACCENT, marker="o", ms=5)
        axes.axhline(card["chance"], color=MUTED, linewidth=1, linestyle="--")
        axes.text(n_tracks[0], card["chance"] + 0.02, "guessing", color=MUTED)
        axes.set_xscale("log")
        axes.set_xticks(n_tracks, [f"{n:.0f}" for n in n_tracks])
        axes.minorticks_off()
        axes.set(ylim=(0, 1.03), xlabel="tracks learnt from", ylabel="balanced accuracy")
        _show_percent(axes.yaxis)

    listed = ", ".join(f"{p['balanced_accuracy']:.0%} from {p['n_tracks']:.0f} tracks" for p in points)
    return render(draw, f"Learning curve: {listed}.", width_in=WIDTH_IN, height_in=2.9)


def draw_map(
    card: Card,
    plane: Sequence[Sequence[float]],
    alt: str,
    *,
    is_hollow: Callable[[Mapping[str, Any]], bool] | None = None,
) -> str:
    """Every track a point with its title; hollow where another playlist was ranked first, or as is asked.

    Of a large library, every n-th track.
    """
    hollow = is_hollow or _is_misplaced
    tracks, names = card["tracks"], card["labels"]
    drawn = range(0, len(tracks), -(-len(tracks) // MAX_POINTS))
    groups = [
        (
            label,
            [row for row in drawn if tracks[row]["label"] == name and hollow(tracks[row]) is empty],
            empty,
        )
        for label, name in enumerate(names)
        for empty in (False, True)
    ]

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for number, (label, rows, empty) in enumerate(groups):
            colour, marker = SERIES[label % len(SERIES)], MARKERS[(label + label // 10) % len(MARKERS)]
            x, y = ([plane[row][column] for row in rows] for column in (0, 1))
            name = None if empty else shorten(names[label])
            face = "none" if empty else colour
            dots = axes.scatter(x, y, s=22, marker=marker, facecolors=face, edgecolors=colour, label=name)
            dots.set(gid=f"dots-{number}", linewidth=1.3, alpha=0.85, clip_on=False)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        figure.legend(loc="outside lower center", ncols=2, handletextpad=0.3, columnspacing=1.2)

    legend_in = 0.2 * ((len(names) + 1) // 2)
    svg = render(draw, alt, width_in=WIDTH_IN, height_in=0.85 * WIDTH_IN + legend_in)
    for number, (_, rows, _) in enumerate(groups):
        svg = entitle(svg, f"dots-{number}", [_title(tracks[row]) for row in rows])
    return svg


def draw_curves(card: Card) -> str:
    """Balanced accuracy against the number of tracks of each playlist learnt from, a line for each mode."""
    curves, lowest = card["curve"], 1 / len(card["labels"])
    counts = sorted({point["n_tracks"] for curve in curves for point in curve["points"]})

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for number, curve in enumerate(curves):
            x = [point["n_tracks"] for point in curve["points"]]
            low, high = ([point[end] for point in curve["points"]] for end in ("low", "high"))
            colour, marker = SERIES[number], MARKERS[number]
            # Side by side, so that one interval does not hide another.
            axes.vlines([n * 1.03**number for n in x], low, high, color=colour, alpha=0.45, linewidth=2)
            y = [point["balanced_accuracy"] for point in curve["points"]]
            axes.plot(x, y, color=colour, marker=marker, ms=5, label=curve["mode"])
        axes.axhline(lowest, color=MUTED, linewidth=1, linestyle="--")
        axes.text(counts[0], lowest - 0.05, "guessing", color=MUTED)
        axes.set_xscale("log")
        axes.set_xticks(counts, [str(count) for count in counts])
        axes.minorticks_off()
        axes.set(ylim=(0, 1.03), xlabel="tracks of each playlist learnt from", ylabel="balanced accuracy")
        _show_percent(axes.yaxis)
        figure.legend(loc="outside lower center", ncols=min(4, len(curves)))

    listed = "; ".join(
        f"{curve['mode']}: "
        + ", ".join(f"{p['balanced_accuracy']:.0%} from {p['n_tracks']}" for p in curve["points"])
        for curve in curves
    )
    return render(
        draw, f"Balanced accuracy by tracks learnt from. {listed}.", width_in=WIDTH_IN, height_in=3.6
    )


def draw_training(history: Sequence[Mapping[str, float]], best_epoch: int) -> str:
    """Loss and accuracy of every epoch; the one whose weights were kept is marked."""
    epochs = range(1, len(history) + 1)
    upper = [name for name in ("loss", "cross_entropy") if name in history[0]]
    lower = [name for name in ("accuracy",) if name in history[0]]

    def draw(figure: "Figure") -> None:
        rows = figure.subplots(1 + bool(lower), sharex=True, squeeze=False)[:, 0]
        for axes, shown in zip(rows, (upper, lower), strict=False):
            for number, name in enumerate(shown):
                line = {"color": SERIES[number], "label": _words(name)}
                axes.plot(epochs, [epoch[name] for epoch in history], **line)
            axes.axvline(best_epoch + 1, color=MUTED, linewidth=1, linestyle="--")
            axes.legend()
        rows[-1].set_xlabel("epoch")
        rows[-1].xaxis.get_major_locator().set_params(integer=True)

    last = ", ".join(f"{_words(name)} {history[best_epoch][name]:.3f}" for name in upper + lower)
    return render(
        draw,
        f"Training curves; at the kept epoch {best_epoch + 1}: {last}.",
        width_in=WIDTH_IN,
        height_in=3.6,
    )


def shorten(name: str) -> str:
    """Return a name short enough to stand beside a picture."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _show_percent(axis: "Axis") -> None:
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1))


def _is_misplaced(track: Mapping[str, Any]) -> bool:
    first = max(track["probabilities"], key=track["probabilities"].__getitem__)
    return bool(first != track["label"])


def _title(track: Mapping[str, Any]) -> str:
    return f"{track['artist']} – {track['title']} ({track['label']})"


def _words(name: str) -> str:
    return name.replace("_", " ").replace("mfcc", "MFCC")
