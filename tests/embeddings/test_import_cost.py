"""Listening must not pull in what costs a web process seconds and hundreds of megabytes."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

HEAVY = [
    "tensorflow",
    "keras",
    "numba",
    "librosa",
    "scipy",
    "sklearn",
    "faiss",
    "matplotlib",
    "sqlalchemy",
]


def test_an_encoder_hears_a_file_without_heavy_imports(tmp_path, music, write_audio) -> None:
    path = write_audio("a.flac", music(5, sample_rate_hz=44_100), sample_rate_hz=44_100)
    program = f"""
import sys
from pathlib import Path
from embeddings.encoder import Encoder
Encoder.load(Path("tests/golden/tiny_encoder")).listen(Path({str(path)!r}))
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
