#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shell.sh ROOT GPUVET: the shell parses every script, and the one that vendors are sent.
set -eu
cd "$1"
sent=$(mktemp -d)
trap 'rm -rf "$sent"' EXIT
"$2" request --out "$sent" >/dev/null
bad=0
for script in scripts/* tests/*/*.sh .ci/* "$sent"/*.sh; do
  [ -f "$script" ] || continue
  case $(head -n 1 "$script") in
    *python*) continue ;;
    *bash*) shell=bash ;;
    *) shell=sh ;;
  esac
  "$shell" -n "$script" || bad=1
done
[ -s "$sent/gather.sh" ] || { echo "gpuvet request wrote no gather.sh"; bad=1; }
exit $bad
