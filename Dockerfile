# Alpine, since Debian's slim image of Python is over 120 MB by itself: the base is about 50 MB, git about 15 MB, what else is
# added about 30 MB, so about 95 MB in all.
# tests/test_image.py builds it and runs it; so far on an image made from Debian's packages, not on Alpine. All packages are locked,
# and all have wheels for musl.
FROM python:3.13.11-alpine3.23 AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
COPY requirements.txt requirements-build.txt ./
RUN pip install --require-hashes --only-binary :all: --requirement requirements-build.txt \
    && python -m venv --without-pip /opt/webchat-sync \
    && pip --python /opt/webchat-sync/bin/python install --require-hashes --only-binary :all: --requirement requirements.txt
COPY LICENSE README.md pyproject.toml ./
COPY schemas ./schemas
COPY examples/github/.github ./examples/github/.github
COPY src ./src
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /opt/webchat-sync/bin/python install --no-deps /wheels/*.whl

FROM python:3.13.11-alpine3.23
# `drift` uses git, and a mounted checkout belongs to a different user than the container's.
RUN apk add --no-cache git && git config --system --add safe.directory '*'
RUN adduser -D -u 10001 webchat-sync && install -d -o webchat-sync /work
COPY --from=build /opt/webchat-sync /opt/webchat-sync
ENV PATH=/opt/webchat-sync/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1 PYTHONNOUSERSITE=1
USER 10001:10001
WORKDIR /work
ENTRYPOINT ["webchat-sync"]
CMD ["--help"]
