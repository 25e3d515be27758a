# One image for every role: the command after its name says which one a container plays, as in
# `docker run jobrunner api`. Two ways to make it:
#   docker build .                      compiles the program, for some minutes; needs BuildKit, for the cache mounts
#   docker build --target prebuilt .    takes dist/jobrunner, which scripts/dist makes

# At least the rust-version of Cargo.toml.
ARG RUST_VERSION=1.94

FROM debian:bookworm-slim AS base
# The account that commands run under. A worker on NFS needs the numbers that own the tree there.
ARG UID=10001
ARG GID=10001
# ca-certificates: for TLS to Postgres and Redis, and for client commands against an https server.
# /nfs: a new volume takes the owner of the directory that it is mounted on.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --non-unique --gid "$GID" jobrunner \
    && useradd --non-unique --uid "$UID" --gid "$GID" --create-home --shell /usr/sbin/nologin jobrunner \
    && install --directory --owner="$UID" --group="$GID" /nfs
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/jobrunner/
# Commands inherit LANG, and nearly all of them expect UTF-8.
ENV LANG=C.UTF-8
# By number, since a cluster that refuses root cannot tell by a name.
USER ${UID}:${GID}
# A file `.env` is read from the working directory; nobody but root can put one here.
WORKDIR /
# No init process in front: the api starts no processes, and a worker's supervisor reaps what commands leave
# behind.
# No HEALTHCHECK: what healthy means differs by role, see docker-compose.yml for the api.
STOPSIGNAL SIGTERM
ENTRYPOINT ["jobrunner"]

FROM base AS prebuilt
COPY dist/jobrunner /usr/local/bin/

FROM rust:${RUST_VERSION}-bookworm AS build
WORKDIR /src
COPY . .
# What was downloaded and compiled is kept in caches of the builder, so that a change of one file does
# not build the world again. The target directory is such a cache and no part of the image: the
# program must leave it in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/usr/local/cargo/git/db \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --locked --profile dist --package jobrunner-cli --bin jobrunner \
    && install -D -t /out target/dist/jobrunner

FROM base AS built
COPY --from=build /out/ /usr/local/bin/
