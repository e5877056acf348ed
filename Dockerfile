# The service of fauxto in a container: docs/how-to/run-the-service.md. Build it from the root of the repository.
FROM python:3.12-slim AS build
WORKDIR /build
RUN python -m venv /opt/fauxto
COPY requirements/serve.lock requirements/build.lock ./
# The versions that the tests ran with, each file known by its hash, and none built from source here.
RUN /opt/fauxto/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r serve.lock \
  && pip install --no-cache-dir --require-hashes --only-binary :all: -r build.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src ./src
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
  && /opt/fauxto/bin/pip install --no-cache-dir --no-deps --no-index dist/*.whl

FROM python:3.12-slim
LABEL org.opencontainers.image.title="fauxto" org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --no-create-home --uid 10001 fauxto
COPY --from=build /opt/fauxto /opt/fauxto
ENV PATH=/opt/fauxto/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
# Other machines are let in with keys only: mount a file of them at /run/secrets/keys.
ENTRYPOINT ["fauxto", "serve", "--host", "0.0.0.0", "--port", "8080"]
CMD ["--keys", "/run/secrets/keys"]
