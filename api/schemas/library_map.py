"""The map over HTTP: a column for each thing that is known of tracks, a third of the size of rows."""

from apiflask.fields import Float, Integer, List, Nested, String
from apiflask.validators import OneOf

from api.schemas.base import PlaylistRefSchema, Strict, name_field, text_field


class MapQuery(Strict):
    """Whose playlists colour the map."""

    group = name_field(metadata={"description": "A playlist group; the default group unless given."})


class MapSchema(Strict):
    """The columns stand in one order: the n-th entry of each is about one track."""

    group = text_field()
    method = text_field(
        validate=OneOf(["umap", "pca"]),
        metadata={"description": "How the embeddings were flattened; far distances mean nothing with umap."},
    )
    playlists = List(Nested(PlaylistRefSchema), required=True)
    ids = List(Integer(), required=True)
    x = List(Float(), required=True, metadata={"description": "-1 to 1"})
    y = List(Float(), required=True, metadata={"description": "-1 to 1"})
    playlist_ids = List(
        Integer(allow_none=True),
        required=True,
        metadata={
            "description": "The first playlist of the group that holds the track; null when none does."
        },
    )
    titles = List(String(), required=True)
    artists = List(String(), required=True)
