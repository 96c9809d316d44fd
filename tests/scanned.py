"""A catalogue of a folder's files by their tags and places, as a scan leaves it, but nothing was heard."""

import hashlib
from dataclasses import replace
from pathlib import Path

from recommender.catalogue.database import Database
from recommender.catalogue.files import record_file
from recommender.sources.folder import read_facts, walk_audio


def scan_names(database: Database, folder: Path) -> dict[Path, int]:
    """Put every file of a folder into the catalogue; path -> track id."""
    found = {}
    with database.session() as session:
        for file in walk_audio(folder):
            sha256 = hashlib.sha256(file.path.read_bytes()).hexdigest()
            facts = replace(read_facts(file.path), content_sha256=sha256)
            found[file.path] = record_file(
                session, file.path, size=file.size, mtime_ns=file.mtime_ns, facts=facts
            )
    return found
