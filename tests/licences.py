"""Lists the licence of every installed package; fails when one forbids what an MIT project does with it.

Run with ``make licences``. A person may use packages under the GPL, but this project may not require one.
"""

import re
import sys
from importlib.metadata import Distribution, distributions

# What a package may say in place of a licence's name, where its files say more than its metadata.
KNOWN = {
    # Its wheels link FFmpeg with x264 and x265, under the GPL and never called: see docs/operating.md.
    "av": "BSD-3-Clause; its wheels hold more, see docs/operating.md",
    "huey": "MIT",
    "libclang": "Apache-2.0 WITH LLVM-exception",
    "musicnn": "ISC",
    "namex": "Apache-2.0",
    "psycopg-binary": "LGPL-3.0-only",
    "umap-learn": "BSD-3-Clause",
}
# Linked at run time and replaceable, which the LGPL and the MPL allow to everybody.
FORBIDDEN = re.compile(r"(?<![L])(?:A?GPL|Affero)|proprietary|non-?commercial", re.IGNORECASE)
LESSER = re.compile(r"lesser|library general|lgpl", re.IGNORECASE)


def licence_of(package: Distribution) -> str:
    """The shortest thing that the package's metadata say of its licence."""
    name = package.metadata["Name"].lower()
    if name in KNOWN:
        return KNOWN[name]
    classifiers = package.metadata.get_all("Classifier") or []
    named = [c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License :: ")]
    texts = (package.metadata.get("License-Expression"), ", ".join(named), package.metadata.get("License"))
    return next((text.strip().splitlines()[0] for text in texts if text and text.strip()), "unknown")


def is_forbidden(licence: str) -> bool:
    """Whether a licence forbids that an MIT project requires the package; of a choice one is enough."""
    choices = re.split(r"\s+OR\s+", licence, flags=re.IGNORECASE)
    return all(bool(FORBIDDEN.search(choice)) and not LESSER.search(choice) for choice in choices)


def main() -> int:
    """Print a line a package; the number of forbidden or unknown ones decides the exit code."""
    rows = sorted((p.metadata["Name"], p.version, licence_of(p)) for p in distributions())
    wrong = [row for row in rows if is_forbidden(row[2]) or row[2] == "unknown"]
    for name, version, licence in rows:
        sys.stdout.write(f"{name:<28} {version:<20} {licence[:70]}\n")
    for name, _, licence in wrong:
        sys.stderr.write(f"{name}: {licence}: look at its licence, then say so in tests/licences.py\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
