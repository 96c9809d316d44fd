# One image for the web process, the workers and the migration: compose.yaml gives each its command.
FROM python:3.11-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /source
# First what changes seldom, so that a change of the program does not fetch TensorFlow again.
COPY requirements.txt ./
# musicnn: its weights are wanted, its dependencies of 2019 are not.
RUN pip install -r requirements.txt && pip install --no-deps musicnn==0.1.0
COPY pyproject.toml README.md LICENSE ./
COPY embeddings embeddings
COPY recommender recommender
COPY training training
COPY api api
COPY migrations migrations
RUN pip install --no-deps .

FROM python:3.11-slim-bookworm

# ffmpeg: m4a, aac, wma and alac cannot be heard without it.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ffmpeg \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home whichlist \
    && install --directory --owner=whichlist --group=whichlist /data /music
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TF_CPP_MIN_LOG_LEVEL=2 \
    NUMBA_CACHE_DIR=/tmp/numba \
    WHICHLIST_DATA=/data \
    WHICHLIST_LIBRARY_ROOTS=/music
USER whichlist
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Set WHICHLIST_API_TOKEN: an address that others reach is refused without one.
CMD ["whichlist", "serve", "--host", "0.0.0.0", "--port", "8000"]
