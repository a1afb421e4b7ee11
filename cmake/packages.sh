#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# packages.sh SECTION...: installs what is missing of these sections of packages.list.
#
# With NO_INSTALL=1 it names what is missing and fails. A stamp for each section, newer than the list and than dpkg's own
# record, says that all was found the last time; then nothing is asked at all.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
list=$root/packages.list
stamps=$root/build/packages
dpkg_record=/var/lib/dpkg/status

section_packages() {
    awk -v section="[$1]" '/^\[/ { inside = ($1 == section) } inside && /^[a-z0-9]/ { print $1 }' "$list"
}

up_to_date() {
    local section
    for section in "$@"; do
        [[ $stamps/$section -nt $list && $stamps/$section -nt $dpkg_record ]] || return 1
    done
}

missing_packages() {
    local wanted=("$@") installed
    # dpkg-query fails when it does not know one of the names; those it knows are printed all the same.
    installed=$(dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
        awk '$1 == "installed" { print $2 }' || true)
    comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) <(sort -u <<<"$installed")
}

as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

install_packages() {
    if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; then
        echo "dyetrace: not root, and there is no sudo. As root: apt-get install --no-install-recommends $*" >&2
        return 1
    fi
    echo "dyetrace: installing $*"
    as_root apt-get update -qq
    # Through env, since sudo drops the caller's environment. The lock: another apt may be at work; wait for it.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >/dev/null
}

main() {
    local sections=("$@") section wanted=() missing
    if up_to_date "${sections[@]}"; then return; fi
    if ! command -v dpkg-query >/dev/null; then
        echo "dyetrace: this is no Debian; see packages.list for what is needed. Going on with what is here."
        return
    fi
    for section in "${sections[@]}"; do
        mapfile -t -O "${#wanted[@]}" wanted < <(section_packages "$section")
        if [[ -z $(section_packages "$section") ]]; then
            echo "dyetrace: packages.list has no section [$section]" >&2
            return 1
        fi
    done
    mapfile -t missing < <(missing_packages "${wanted[@]}")
    if ((${#missing[@]} > 0)); then
        if [[ ${NO_INSTALL:-0} == 1 ]]; then
            echo "dyetrace: missing packages (NO_INSTALL=1, so not installed): ${missing[*]}" >&2
            return 1
        fi
        install_packages "${missing[@]}"
    fi
    mkdir -p "$stamps"
    for section in "${sections[@]}"; do touch "$stamps/$section"; done
}

main "$@"
