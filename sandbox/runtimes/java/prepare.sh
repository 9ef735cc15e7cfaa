#!/bin/sh
# Finishes the root given as argument: creates the link that packages create when they are installed, moves the settings to
# a path without a version, and removes the other programs.
set -eu
cd "$1"
settings="$(find etc -maxdepth 1 -type d -name 'java-*-openjdk')"
mv "$settings" etc/java
ln -s java "$settings"
home="$(find usr/lib/jvm -mindepth 1 -maxdepth 1 -type d -name 'java-*')"
ln -sf "../../$home/bin/java" usr/bin/java
find "$home/bin" "$home/lib" -type f ! -name '*.so' -perm /111 ! -path "$home/bin/java" -delete
rm -rf "$home/man" "$home/legal" usr/lib/*/glib-2.0
