#!/bin/sh
# What the image is made of, run inside a fresh Debian 12: by the Containerfile, or by hand in a root that debootstrap made:
#
#   debootstrap --variant=minbase bookworm ROOT && cp deploy/container-steps.sh ROOT/tmp/ && chroot ROOT sh /tmp/container-steps.sh
#
# ca-certificates: authorities that the lines to firms are checked against. The others make small pictures of HEIC, AVIF and videos.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
apt-get install --yes --quiet --no-install-recommends ca-certificates libheif-examples ffmpeg bubblewrap
rm -rf /var/lib/apt/lists/*
useradd --uid 4620 --no-create-home --home-dir /var/lib/holdfast --shell /usr/sbin/nologin holdfast
install --directory --mode 0700 --owner holdfast --group holdfast /var/lib/holdfast
