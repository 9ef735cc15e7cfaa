# Sourced by scripts that unpack packages of the distribution.
# shellcheck shell=bash

# Prints this machine's distribution sources, one deb line each; sources of other vendors are left out.
distribution_sources() {
    local origin
    case "$(. /etc/os-release && echo "$ID")" in
        debian) origin=Debian ;;
        ubuntu) origin=Ubuntu ;;
        *) origin='.*' ;;
    esac
    # shellcheck disable=SC2016 # apt-get's own variables
    local format='$(ORIGIN)|deb $(REPO_URI) $(RELEASE) $(COMPONENT)'
    if ! apt-get indextargets --format "$format" 'Created-By: Packages' | grep -q "^$origin|"; then
        apt-get update -qq >&2
    fi
    apt-get indextargets --format "$format" 'Created-By: Packages' | sed -n "s/^$origin|//p" | sort -u
}
