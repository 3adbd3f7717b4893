# The production image: docker build --build-arg VERSION=1.2.3 -t maoga-server:1.2.3 .
#
# Packages that hold native code bring it prebuilt, so no package's install script runs here. The base is named by version for
# people and by digest for machines; Dependabot moves both.

FROM node:26.10.0-slim@sha256:ec7758ee051e457b468b32bde57b0879010b325bb9862718e9615225ce4aaae1 AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY scripts scripts
RUN npm run build

FROM node:26.10.0-slim@sha256:ec7758ee051e457b468b32bde57b0879010b325bb9862718e9615225ce4aaae1 AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

FROM node:26.10.0-slim@sha256:ec7758ee051e457b468b32bde57b0879010b325bb9862718e9615225ce4aaae1
# an init process: platforms that start none themselves pass signals on, and leave no zombie of a health check
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
# everything secret comes from where the container runs
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
# the files stay root's: the server, as `node`, can read but not change them, and needs no file system that it can write to
COPY package.json LICENSE ./
COPY migrations migrations
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
USER node
EXPOSE 3000 9464
# alive, not ready: a container is not restarted because its database is away
HEALTHCHECK --interval=10s --timeout=3s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/usr/bin/tini", "--"]
# a young generation that holds what a busy second makes: what is garbage by then is never copied (docs/performance.md)
CMD ["node", "--max-semi-space-size=64", "--enable-source-maps", "dist/src/main.js"]
# last, so that a new version does not make the layers above anew
ARG VERSION=unversioned
LABEL org.opencontainers.image.title="Maoga server" \
      org.opencontainers.image.description="Game-matchmaking server: accounts, catalogue, matchmaking, lobbies with chat, notifications" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="docker.io/library/node:26.10.0-slim" \
      org.opencontainers.image.version="${VERSION}"
