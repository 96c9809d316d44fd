"""Nearly right bytes: what a file becomes when it is cut, doubled, overwritten or mixed."""

from hypothesis import strategies as st


def damaged(data: bytes) -> st.SearchStrategy[bytes]:
    """The data after one to four accidents."""
    accidents = st.lists(_accident(len(data)), min_size=1, max_size=4)
    return accidents.map(lambda found: _after(data, found))


def _accident(length: int) -> st.SearchStrategy[tuple[str, int, int, bytes]]:
    place = st.integers(0, max(length - 1, 0))
    kinds = st.sampled_from(["drop", "double", "overwrite", "insert", "move", "cut"])
    noise = st.one_of(
        st.binary(min_size=1, max_size=8),
        st.sampled_from([b"\0", b'"', b"<", b"&#0;", b"]]>", b"\r", b"\xff\xfe", b",,,", b"9" * 40, b"-1"]),
    )
    return st.tuples(kinds, place, st.integers(1, 200), noise)


def _after(data: bytes, accidents: list[tuple[str, int, int, bytes]]) -> bytes:
    for kind, start, length, noise in accidents:
        head, part, rest = data[:start], data[start : start + length], data[start + length :]
        data = {
            "drop": head + rest,
            "double": head + part + part + rest,
            "overwrite": head + noise + data[start + len(noise) :],
            "insert": head + noise + part + rest,
            "move": head + rest + part,
            "cut": head,
        }[kind]
    return data
