#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Checks the syntax of everything in this directory that a tool on this machine understands, and
# says what it did not check. It runs no recipe. Exit status 1 if a check failed.
#
#   SUBROSA=PATH   a built `subrosa`, to load host/node.toml with
#   STRICT=1       a check that cannot run is a failure
#
# Tools: shellcheck, hadolint, systemd-analyze, mkosi 27, qemu-system-x86_64 10.1, make, and Python
# 3.11 with jinja2 and (for allocator.yaml) yaml.
set -u
cd "$(dirname -- "$0")" || exit 1

passed=0
failed=0
skipped=0
log=$(mktemp)
scratch=$(mktemp -d)
trap 'rm -rf -- "$log" "$scratch"' EXIT

ok() {
    passed=$((passed + 1))
    echo "ok       $1"
}

bad() {
    failed=$((failed + 1))
    echo "FAILED   $1"
    sed 's/^/         /' "$log"
}

skip() {
    if [ "${STRICT:-0}" = 1 ]; then
        echo "needed: $2" >"$log"
        bad "$1"
        return
    fi
    skipped=$((skipped + 1))
    echo "skipped  $1: $2"
}

# check NAME COMMAND…
check() {
    name=$1
    shift
    if "$@" >"$log" 2>&1; then ok "$name"; else bad "$name"; fi
}

have() {
    command -v "$1" >/dev/null 2>&1
}

python_has() {
    have python3 && python3 -c "import $1" 2>/dev/null
}

scripts() {
    grep -rlE '^#!/bin/sh' --exclude-dir=mkosi.output .
}

shell_scripts() {
    scripts | sort | while read -r script; do
        [ -x "$script" ] || echo "$script is not executable"
        sh -n "$script" || echo "$script does not parse"
    done >"$log" 2>&1
    if [ -s "$log" ]; then bad "sh -n"; else ok "sh -n"; fi
    if have shellcheck; then
        # shellcheck disable=SC2046 # no name here has a space
        check "shellcheck" shellcheck $(scripts)
    else
        skip "shellcheck" "shellcheck is not installed"
    fi
}

dockerfile() {
    if have hadolint; then
        check "hadolint nitro/Dockerfile" hadolint nitro/Dockerfile
    else
        skip "hadolint nitro/Dockerfile" "hadolint is not installed"
    fi
}

data_files() {
    if ! python_has tomllib; then
        skip "TOML, JSON" "Python 3.11 or later is not installed"
        return
    fi
    check "TOML host/node.toml" python3 -c \
        'import tomllib; tomllib.load(open("host/node.toml", "rb"))'
    check "JSON nitro/enclave.json" python3 -c \
        'import json; assert json.load(open("nitro/enclave.json"))["debug_mode"] is False'
    if python_has yaml; then
        check "YAML nitro/allocator.yaml" python3 -c \
            'import yaml; assert yaml.safe_load(open("nitro/allocator.yaml"))["memory_mib"] > 0'
    else
        skip "YAML nitro/allocator.yaml" "python3 has no yaml"
    fi
    if [ -n "${SUBROSA:-}" ]; then
        check "subrosa config show host/node.toml" "$SUBROSA" config show --config host/node.toml
    else
        skip "subrosa config show host/node.toml" "SUBROSA names no executable"
    fi
}

gramine() {
    if python_has jinja2 && python_has tomllib; then
        check "Gramine manifest" python3 - <<'PYTHON'
import jinja2, tomllib

class Gramine:
    libos = "/usr/lib/x86_64-linux-gnu/gramine/libsysdb.so"
    def runtimedir(self, libc="glibc"):
        return "/usr/lib/x86_64-linux-gnu/gramine/runtime/" + libc

text = open("gramine/subrosa-enclave.manifest.template").read()
rendered = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(text).render(
    gramine=Gramine(), executable="/usr/lib/subrosa/subrosa-enclave",
    arch_libdir="/lib/x86_64-linux-gnu")
manifest = tomllib.loads(rendered)
sgx, loader = manifest["sgx"], manifest["loader"]
assert sgx["debug"] is False
assert sgx["remote_attestation"] == "dcap"
assert sgx["edmm_enable"] is False
assert sgx["file_check_policy"] == "strict"
assert "allowed_files" not in sgx
assert loader["argv"][0] == "subrosa-enclave"
assert all(isinstance(value, str) for value in loader["env"].values()), "passthrough"

def keys(table):
    for key, value in table.items():
        yield key
        if isinstance(value, dict):
            yield from keys(value)
assert not [key for key in keys(manifest) if key.startswith("insecure__")]

trusted = set(sgx["trusted_files"])
for mount in manifest["fs"]["mounts"]:
    uri = mount.get("uri")
    assert uri is None or uri in trusted or uri + "/" in trusted, f"{uri} is mounted, not trusted"
PYTHON
    else
        skip "Gramine manifest" "python3 has no jinja2, or no tomllib"
    fi
    if have make; then
        check "make -n gramine" make -n -C gramine EXECUTABLE=/dev/null all mrenclave
    else
        skip "make -n gramine" "make is not installed"
    fi
    if have gramine-manifest; then
        check "gramine-manifest" gramine-manifest -Dexecutable=/dev/null -Darch_libdir=/lib \
            gramine/subrosa-enclave.manifest.template /dev/null
    else
        skip "gramine-manifest" "Gramine is not installed"
    fi
}

# Units are verified in a root of their own, with every program they name present, as
# `systemd-analyze verify --root` reads them.
units() {
    if ! have systemd-analyze; then
        skip "systemd units" "systemd-analyze is not installed"
        return
    fi
    for platform in tdx snp; do
        root=$scratch/guest-$platform
        mkdir -p "$root/usr/bin" "$root/usr/lib/systemd"
        cp -a guest/mkosi.extra/. "$root/"
        cp -a "guest/mkosi.profiles/$platform/mkosi.extra/." "$root/"
        executable "$root/usr/bin/subrosa-enclave"
        executable "$root/usr/lib/systemd/systemd-socket-proxyd"
        verify "$root" "guest units ($platform)" \
            subrosa-enclave.service subrosa-vsock.socket subrosa-vsock.service
    done
    for unit in host/subrosa-node.service host/subrosa-bridge.service tdx/subrosa-guest.service \
        snp/subrosa-guest.service nitro/subrosa-nitro.service; do
        root=$scratch/$(dirname "$unit")
        directory=$root/usr/lib/systemd/system
        mkdir -p "$directory" "$root/usr/bin"
        cp "$unit" "$directory/"
        for program in subrosa socat nitro-cli; do
            executable "$root/usr/bin/$program"
        done
        mkdir -p "$root/usr/lib/subrosa/tdx" "$root/usr/lib/subrosa/snp"
        executable "$root/usr/lib/subrosa/tdx/run-guest"
        executable "$root/usr/lib/subrosa/snp/run-guest"
        verify "$root" "$unit" "$(basename "$unit")"
    done
    if have systemd-sysusers; then
        mkdir -p "$scratch/users/etc"
        check "host/sysusers.conf" systemd-sysusers --dry-run --root="$scratch/users" \
            "$PWD/host/sysusers.conf"
    else
        skip "host/sysusers.conf" "systemd-sysusers is not installed"
    fi
}

# verify ROOT NAME UNIT…; whatever it prints about our own units is a failure, also a warning about
# an unknown setting, for which systemd-analyze has exit status 0.
verify() {
    root=$1
    name=$2
    shift 2
    for target in sysinit basic sockets multi-user network-online shutdown; do
        [ -e "$root/usr/lib/systemd/system/$target.target" ] ||
            echo '[Unit]' >"$root/usr/lib/systemd/system/$target.target"
    done
    for unit in sys-kernel-config.mount nitro-enclaves-allocator.service; do
        stub "$root/usr/lib/systemd/system/$unit"
    done
    : >"$log"
    for unit in "$@"; do
        systemd-analyze verify --man=no --recursive-errors=no --root="$root" "$unit" >>"$log" 2>&1 ||
            echo "systemd-analyze verify $unit: status $?" >>"$log"
    done
    if grep -E 'subrosa|Unknown|Failed' "$log" | grep -vE 'D-Bus|dbus' | grep -q .; then
        bad "systemd-analyze verify $name"
    else
        ok "systemd-analyze verify $name"
    fi
}

stub() {
    case $1 in
    *.mount) printf '[Mount]\nWhat=configfs\nWhere=/sys/kernel/config\nType=configfs\n' >"$1" ;;
    *) printf '[Service]\nType=oneshot\nExecStart=/usr/bin/subrosa-enclave\n' >"$1" ;;
    esac
    executable "${1%/lib/systemd/system/*}/bin/subrosa-enclave"
}

executable() {
    printf '#!/bin/sh\n' >"$1"
    chmod 0755 "$1"
}

guest_image() {
    if ! have mkosi; then
        skip "mkosi summary" "mkosi is not installed"
        return
    fi
    case $(mkosi --version) in
    "mkosi "2[7-9]* | "mkosi "[3-9][0-9]*) ;;
    *)
        skip "mkosi summary" "mkosi 27 or later is needed"
        return
        ;;
    esac
    for platform in tdx snp; do
        check "mkosi summary ($platform)" mkosi --directory=guest --profile="$platform" \
            --no-pager summary
    done
}

# QEMU refuses an object's unknown property before it finds out that the machine cannot do what the
# object is for; only the former is asked about. The object is taken from what the script would run.
qemu() {
    for platform in tdx snp; do
        case $platform in
        tdx) object=tdx-guest ;;
        *) object=sev-snp-guest ;;
        esac
        if ! have qemu-system-x86_64; then
            skip "QEMU object $object" "qemu-system-x86_64 is not installed"
            continue
        fi
        if ! qemu-system-x86_64 -object help 2>/dev/null | grep -q "^ *$object\$"; then
            skip "QEMU object $object" "this QEMU does not know it"
            continue
        fi
        mkdir -p "$scratch/recorder" "$scratch/image"
        # shellcheck disable=SC2016 # the recorder's own parameters
        printf '#!/bin/sh\nprintf "%%s\\n" "$@"\n' >"$scratch/recorder/qemu-system-x86_64"
        chmod 0755 "$scratch/recorder/qemu-system-x86_64"
        echo ro >"$scratch/image/subrosa-snp.cmdline"
        properties=$(PATH="$scratch/recorder:$PATH" GUEST="$scratch/image" CID=16 \
            HOST_DATA="$(printf %032d 0 | base64)" "$platform/run-guest" |
            grep -A1 -x -e -object | grep -F "$object")
        if [ -z "$properties" ]; then
            echo "$platform/run-guest makes no $object" >"$log"
            bad "QEMU object $object"
            continue
        fi
        timeout 2 qemu-system-x86_64 -machine none -nodefaults -display none -S \
            -object "$properties" >"$log" 2>&1
        if grep -qE 'Invalid parameter|Parameter|is missing|not found|JSON' "$log"; then
            bad "QEMU object $object"
        else
            ok "QEMU object $object"
        fi
    done
}

# Every option that a recipe gives the enclave must be one it has.
enclave_options() {
    usage=../bin/subrosa-enclave/src/arguments.rs
    : >"$log"
    for file in gramine/subrosa-enclave.manifest.template nitro/start \
        guest/mkosi.extra/usr/lib/systemd/system/subrosa-enclave.service; do
        grep -E 'subrosa-enclave.*--socket' "$file" | grep -oE '\-\-[a-z-]+' | sort -u |
            while read -r option; do
                grep -qF "\"$option\"" "$usage" ||
                    echo "$file: subrosa-enclave has no $option" >>"$log"
            done
    done
    if [ -s "$log" ]; then bad "options of subrosa-enclave"; else ok "options of subrosa-enclave"; fi
}

# The recipes must never weaken what they are for.
never() {
    : >"$log"
    grep -rnE 'debug-mode|--debug|policy=0x(8|b)0000|attach-console|"debug_mode": true' \
        gramine/Makefile nitro/build nitro/enclave.json tdx/run-guest snp/run-guest >"$log"
    if [ -s "$log" ]; then bad "no debug anywhere"; else ok "no debug anywhere"; fi
}

shell_scripts
dockerfile
data_files
gramine
units
guest_image
qemu
enclave_options
never

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
