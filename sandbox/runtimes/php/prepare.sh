#!/bin/sh
# Finishes the root given as argument: creates the link and lists the extensions, as installed packages would.
set -eu
root="$1"
cd "$root"
program="$(find usr/bin -name 'php[0-9]*' -type f)"
ln -sf "${program##*/}" usr/bin/php
# Without the interface to functions of C, and without a cache that one run cannot use.
for library in usr/lib/php/*/*.so; do
    extension="$(basename "$library" .so)"
    case "$extension" in
    ffi | opcache) ;;
    *) echo "extension = $extension" ;;
    esac
done | sort >>usr/share/promptcraft/php.ini
chroot "$root" /usr/bin/php -c /usr/share/promptcraft/php.ini -r 'exit(mb_strlen("ä") == 1 && ctype_alpha("a") ? 0 : 1);'
