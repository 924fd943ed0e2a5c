#!/usr/bin/env bash
# Installs what the tests need of the system and do not find: PostgreSQL, a
# browser, a font. It does so as root or with sudo; for anybody else it says
# what to install.
set -euo pipefail

missing=()
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null \
    || command -v initdb >/dev/null || [ -n "${ARMILLARY_TEST_POSTGRES:-}" ] || missing+=(postgresql)
command -v chromium >/dev/null || [ -n "${ARMILLARY_TEST_CHROMIUM:-}" ] || missing+=(chromium)
# Without any font a browser paints empty boxes; other systems than Debian bring one.
! command -v dpkg >/dev/null || compgen -G '/usr/share/fonts/*/dejavu*/DejaVuSans.ttf' >/dev/null \
    || missing+=(fonts-dejavu-core)
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
if ! command -v apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
    echo "The tests need ${missing[*]}, which only an administrator can install here:" >&2
    echo "    sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    echo "or the like; tests/README.md names the variables for programs installed elsewhere." >&2
    exit 1
fi

echo "Installing ${missing[*]} ..."
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
