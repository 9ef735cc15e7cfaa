# A small image for each program: docker build --target api, approver, worker, cli, nats, redis or proxy.
#
# Every image that is not built here is an argument. PROGRAMS, ROOTS and MODEL may also name images with finished files under
# /programs, /roots and /model, as deploy/compose/images.sh does to build without a registry. Needs BuildKit.
ARG BASE=debian:12-slim
ARG SERVICES_BASE=debian:12-slim
ARG RUST=rust:1.95-bookworm
ARG NATS=nats:2.14
ARG PROGRAMS=build-programs
ARG ROOTS=build-roots
ARG MODEL=build-model

FROM ${RUST} AS build
RUN apt-get update && apt-get install -y --no-install-recommends mmdebstrap python3-pip && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .

FROM build AS build-programs
RUN cargo build --release --locked -p api -p approver -p worker -p cli \
    && mkdir /programs \
    && cp target/release/api target/release/approver target/release/worker target/release/promptcraft /programs/

FROM build AS build-roots
RUN sandbox/build-root.sh /roots && rm -rf /roots/.base /roots/.lock

FROM build AS build-model
RUN scripts/setup.sh embeddings && mv data/models/all-minilm-l6-v2 /model

FROM ${PROGRAMS} AS programs
FROM ${ROOTS} AS roots
FROM ${MODEL} AS model
FROM ${NATS} AS nats-server

# Owned by the user of all containers, so that a new volume mounted there is, too.
FROM ${BASE} AS base
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="PromptCraft" \
    org.opencontainers.image.description="Durable, human-supervised execution of untrusted code" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
COPY --chmod=0755 deploy/compose/probe.sh /usr/local/bin/probe
RUN mkdir -p /secrets /data && chown 10001:10001 /secrets /data
USER 10001:10001

FROM base AS api
COPY --from=programs /programs/api /usr/local/bin/api
EXPOSE 8000 8001
ENTRYPOINT ["api"]

FROM base AS approver
USER 0:0
# Notifications go to https addresses.
RUN [ -s /etc/ssl/certs/ca-certificates.crt ] || (apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*)
USER 10001:10001
COPY --from=programs /programs/approver /usr/local/bin/approver
EXPOSE 8001
ENTRYPOINT ["approver"]

FROM base AS worker
USER 0:0
# A language model may be at an https address.
RUN command -v bwrap && [ -s /etc/ssl/certs/ca-certificates.crt ] \
    || (apt-get update && apt-get install -y --no-install-recommends bubblewrap ca-certificates && rm -rf /var/lib/apt/lists/*)
RUN mkdir -p /var/cache/promptcraft && chown 10001:10001 /var/cache/promptcraft
USER 10001:10001
COPY --from=roots /roots /usr/lib/promptcraft/roots
COPY --from=model /model /usr/lib/promptcraft/model
COPY --from=programs /programs/worker /usr/local/bin/worker
EXPOSE 8001
ENTRYPOINT ["worker"]

FROM base AS cli
USER 0:0
RUN for folder in operator nats redis api approver worker; do mkdir -p "/secrets/$folder"; done && chown -R 10001:10001 /secrets
USER 10001:10001
COPY --from=programs /programs/promptcraft /usr/local/bin/promptcraft
ENTRYPOINT ["promptcraft"]

FROM base AS nats
COPY --from=nats-server /nats-server /usr/local/bin/nats-server
COPY --chmod=0755 deploy/compose/nats-start.sh /usr/local/bin/nats-start
COPY --chmod=0755 deploy/compose/nats-health.sh /usr/local/bin/nats-health
EXPOSE 4222 6222 8222
ENTRYPOINT ["nats-start"]

FROM ${SERVICES_BASE} AS services
COPY --chmod=0755 deploy/compose/probe.sh /usr/local/bin/probe
RUN mkdir -p /secrets /data && chown 10001:10001 /secrets /data

FROM services AS redis
RUN command -v redis-server || (apt-get update && apt-get install -y --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*)
USER 10001:10001
EXPOSE 6379
ENTRYPOINT ["redis-server", "/secrets/redis.conf"]

FROM services AS proxy
RUN command -v nginx || (apt-get update && apt-get install -y --no-install-recommends nginx-light && rm -rf /var/lib/apt/lists/*)
COPY deploy/compose/nginx.conf /etc/nginx/promptcraft.conf
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["nginx", "-c", "/etc/nginx/promptcraft.conf"]
