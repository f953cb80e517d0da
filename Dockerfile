# The image of Coredock: API server, parse sidecar and web page. How to run it: docs/operations.md, "Container".

# By digest, so that two builds of one version have the same base. `.github/dependabot.yml` asks for newer ones, and a
# release is built on the newest (docs/releasing.md).
ARG NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:2fe369e969550cde8e867afc3fe370b260140cab4a23d467074295b42163d553

# What is installed is the same on every platform, so this runs on the one that builds, never emulated.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS install
# A tarball that `npm pack` made, in the build context. A release installs the one that it publishes; without it, one is
# packed from the sources.
ARG TARBALL=
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN test -n "$TARBALL" || npm ci --no-audit --no-fund
COPY . .
RUN test -n "$TARBALL" || npm run --silent prepack
RUN cp "${TARBALL:-$(npm pack --silent --ignore-scripts)}" /coredock.tgz
RUN npm install --prefix /image/opt/coredock --omit=dev --ignore-scripts --no-audit --no-fund /coredock.tgz \
    && mkdir -p /image/usr/local/bin /image/data \
    && ln -s /opt/coredock/node_modules/.bin/coredock /image/usr/local/bin/coredock

FROM ${NODE_IMAGE}
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Coredock" \
      org.opencontainers.image.description="Self-hosted crash-dump server for fleets of ESP32-family devices" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="https://github.com/coredock/coredock" \
      org.opencontainers.image.documentation="https://github.com/coredock/coredock/blob/main/docs/operations.md" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=install /image/opt /opt
COPY --from=install /image/usr /usr
COPY --from=install --chown=node:node /image/data /data

# All that is written is below /data: the root filesystem may be read-only.
ENV HOST=0.0.0.0 \
    PORT=4000 \
    DATABASE_URL=file:/data/coredock.db \
    COREDUMPS_DIR=/data/coredumps \
    ASSETS_DIR=/data/firmware
USER node
# A file .env here has settings: `coredock init` writes it.
WORKDIR /data
VOLUME /data
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["coredock", "healthcheck"]
ENTRYPOINT ["coredock"]
CMD ["start"]
