"""What becomes of files damaged by a seeded recipe, heard in processes that may die, as the service does.

``python -m tests.benchmarks.bench_damage [--files 1000] [--seed 440]``; ``make damage``. It exits with 1 when
a decoder died, hung, or gave a wrong length without a mark.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from functools import partial
from pathlib import Path

from embeddings.config import MelConfig, PatchConfig
from embeddings.decoder_processes import DecoderProcesses
from embeddings.errors import EmbeddingError
from embeddings.patches import track_patches
from tests.benchmarks.bench_listen import describe_machine
from tests.damage import Damaged, write_damaged

LONGEST_S = 5.0


def judge(damaged: Damaged, processes: DecoderProcesses) -> str:
    """The outcome in a word."""
    try:
        heard = processes(partial(track_patches, damaged.path, MelConfig(), PatchConfig()))
    except EmbeddingError as error:
        return error.code
    except MemoryError:
        return "out_of_memory"
    reason = None if heard.unheard is None else heard.unheard.reason
    if not damaged.is_honest(heard.duration_s, reason):
        return "wrong length"
    return "heard in part" if reason else "heard"


def main() -> int:
    """Print a table of outcomes by recipe and by format."""
    parser = argparse.ArgumentParser(description="Hear damaged files, and count what becomes of them.")
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=440)
    arguments = parser.parse_args()
    outcomes: Counter[tuple[str, str, str]] = Counter()
    longest_s = 0.0
    processes = DecoderProcesses(longest_call_s=LONGEST_S)
    with tempfile.TemporaryDirectory() as folder, closing(processes):
        processes(partial(int, "1"))  # started, so that this is no file's time
        for damaged in write_damaged(Path(folder), arguments.files, seed=arguments.seed):
            started = time.perf_counter()
            outcome = judge(damaged, processes)
            longest_s = max(longest_s, time.perf_counter() - started)
            outcomes[damaged.recipe, damaged.encoding, outcome] += 1
            if outcome in BAD:
                sys.stderr.write(f"{outcome}: {damaged.encoding}, {damaged.recipe}\n")
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    sys.stdout.write(f"{describe_machine()}; {arguments.files} files, seed {arguments.seed}; ")
    sys.stdout.write(f"longest {longest_s:.2f} s, at most {peak_mb:.0f} MB a process\n\n")
    for column in (0, 1):
        print_table(outcomes, column)
    return int(any(outcome in BAD for _, _, outcome in outcomes))


BAD = frozenset(("wrong length", "decoder_crashed", "decoder_hung", "out_of_memory"))


def print_table(outcomes: Counter[tuple[str, str, str]], column: int) -> None:
    """Count outcomes by recipe (0) or by encoding (1)."""
    kinds = sorted({key[2] for key in outcomes})
    names = list(dict.fromkeys(key[column] for key in outcomes))
    sys.stdout.write(f"| | {' | '.join(kinds)} |\n|---{'|---' * len(kinds)}|\n")
    for name in names:
        of_name = Counter[str]()
        for key, n in outcomes.items():
            of_name[key[2]] += n if key[column] == name else 0
        counts = [of_name[kind] for kind in kinds]
        sys.stdout.write(f"| {name} | {' | '.join(str(n) if n else '' for n in counts)} |\n")
    sys.stdout.write("\n")


if __name__ == "__main__":
    sys.exit(main())
