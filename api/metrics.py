"""Requests by route and status, and their time, in Prometheus' text format."""

import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

MIMETYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """Counts finished requests; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(BUCKETS_S) + 1))
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def count_request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request; ``route`` is the pattern, never the address itself."""
        with self._lock:
            self._requests[method, route, status] += 1
            self._buckets[route][bisect_left(BUCKETS_S, seconds)] += 1
            self._seconds[route] += seconds

    def render(self, gauges: Mapping[str, Mapping[Labels, float]]) -> str:
        """Return every counter, and ``gauges`` {name: {labels: value}}, as Prometheus reads them."""
        with self._lock:
            requests = dict(self._requests)
            buckets = {route: list(counts) for route, counts in self._buckets.items()}
            seconds = dict(self._seconds)
        lines = ["# TYPE whichlist_requests_total counter"]
        lines += [
            _line("whichlist_requests_total", _request_labels(*key), n) for key, n in sorted(requests.items())
        ]
        lines += ["# TYPE whichlist_request_seconds histogram"]
        for route, counts in sorted(buckets.items()):
            lines += _histogram(route, counts, seconds[route])
        for name, values in gauges.items():
            lines.append(f"# TYPE {name} gauge")
            lines += [_line(name, labels, value) for labels, value in sorted(values.items())]
        return "\n".join(lines) + "\n"


def _request_labels(method: str, route: str, status: int) -> Labels:
    return (("method", method), ("route", route), ("status", str(status)))


def _histogram(route: str, counts: Iterable[int], seconds: float) -> list[str]:
    name, labels, total, lines = "whichlist_request_seconds", (("route", route),), 0, []
    for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), counts, strict=True):
        total += count
        lines.append(_line(f"{name}_bucket", (*labels, ("le", bound)), total))
    return [*lines, _line(f"{name}_sum", labels, round(seconds, 6)), _line(f"{name}_count", labels, total)]


def _line(name: str, labels: Labels, value: float) -> str:
    written = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    return f"{name}{{{written}}} {value}" if written else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
