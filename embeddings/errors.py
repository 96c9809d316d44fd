"""The one family of errors that turning sound into vectors can raise."""


class EmbeddingError(Exception):
    """A track or array could not be turned into an embedding.

    Attributes
    ----------
    code : str
        Stable, machine-readable name of the reason; it reaches job items, reports and HTTP problems.
    """

    code = "embedding_error"


class UndecodableAudio(EmbeddingError):
    """No decoder at hand could read the file as audio."""

    code = "undecodable_audio"


class MissingDecoder(UndecodableAudio):
    """The format needs an optional decoder that is not installed; the message says which."""

    code = "missing_decoder"


class DecoderCrashed(EmbeddingError):
    """The file made its decoder die; whatever asked for it lives on."""

    code = "decoder_crashed"


class DecoderHung(EmbeddingError):
    """The decoder was given up, because it was busy for longer than any file needs."""

    code = "decoder_hung"


class SilentAudio(EmbeddingError):
    """Every window of the track is silent, so there is nothing to listen to."""

    code = "silent_audio"


class TooShort(EmbeddingError):
    """The track is shorter than what the network needs to hear."""

    code = "too_short"


class TooLong(EmbeddingError):
    """The track is longer than the limit set against abuse."""

    code = "too_long"


class FingerprintMismatch(EmbeddingError):
    """Embeddings of two different encoders met; they must never be compared."""

    code = "fingerprint_mismatch"
