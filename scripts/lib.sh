# Shared by the scripts: where the project lies, what it needs, how it is built.
root=$(cd "$(dirname "$0")/.." && pwd)

packages="g++ cmake ninja-build ccache lld clang clang-format clang-tidy libclang-rt-14-dev libcli11-dev libfmt-dev \
nlohmann-json3-dev libtomlplusplus-dev libpugixml-dev libexpected-dev libxxhash-dev libcurl4-openssl-dev liburing-dev libgtest-dev libgmock-dev \
libhwy-dev librapidcheck-dev python3 python3-jsonschema prometheus libopenblas0-pthread libopenmpi-dev openmpi-bin"
# What emulates a whole machine for one test.
guest_packages="qemu-system-x86 busybox-static ipmitool iproute2"
build_packages="g++ cmake ninja-build libcli11-dev libfmt-dev nlohmann-json3-dev libtomlplusplus-dev libpugixml-dev \
libexpected-dev libxxhash-dev libcurl4-openssl-dev liburing-dev libhwy-dev"

# install_missing PACKAGES: with apt, through sudo unless root.
install_missing() {
  missing=""
  for package in $1; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  as_root=""
  [ "$(id -u)" -eq 0 ] || as_root="sudo"
  echo "installing:$missing" >&2
  $as_root apt-get update -qq >&2
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >&2
}

# build PRESET [TARGET…]: configures once, then builds.
build() {
  preset=$1
  shift
  [ -f "$root/build/$preset/build.ninja" ] || cmake -S "$root" --preset "$preset" >&2
  cmake --build "$root/build/$preset" "$@" >&2
}
