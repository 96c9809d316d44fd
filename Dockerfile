# Two images: `serve` answers, listens and scores; `all` trains too. compose.yaml gives each its command.
#   docker build --target serve .      docker build --target all .
FROM python:3.11-slim-bookworm AS build-serve

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /source
# First what changes seldom, so that a change of the program does not fetch everything again.
COPY requirements-serve.txt ./
RUN pip install --no-deps --require-hashes -r requirements-serve.txt

FROM build-serve AS build-all
COPY requirements.txt ./
RUN pip install --no-deps --require-hashes -r requirements.txt

FROM python:3.11-slim-bookworm AS runtime
RUN useradd --uid 10001 --create-home whichlist \
    && install --directory --owner=whichlist --group=whichlist /data /music
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/source \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/tmp/numba \
    WHICHLIST_DATA=/data \
    WHICHLIST_LIBRARY_ROOTS=/music
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY embeddings embeddings
COPY recommender recommender
COPY training training
COPY api api
COPY migrations migrations
RUN printf '#!/bin/sh\nexec python -m api.cli "$@"\n' > /usr/local/bin/whichlist && chmod +x /usr/local/bin/whichlist
USER whichlist
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Set WHICHLIST_API_TOKEN: an address that others reach is refused without one.
CMD ["whichlist", "serve", "--host", "0.0.0.0", "--port", "8000"]

FROM runtime AS serve
COPY --from=build-serve /venv /venv

FROM runtime AS all
COPY --from=build-all /venv /venv
