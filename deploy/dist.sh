#!/usr/bin/env bash
# Builds crossdock for every system it is released for, as static binaries in
# archives, with their checksums: deploy/dist.sh [FOLDER] [OS/ARCH...]
# The same source and Go version give the same bytes, wherever they are built.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:-dist}")
shift || true
systems=("$@")
((${#systems[@]})) || systems=(linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64)

version=$(sed -nE 's/^const Version = "(.*)"$/\1/p' runtime/*.go)
rm -rf "$out"
mkdir -p "$out"
# Archives carry the time of the commit, not of the build.
stamp=$(git log -1 --format=%ct 2>/dev/null || echo 0)
for system in "${systems[@]}"; do
  os=${system%/*} arch=${system#*/}
  name=crossdock-$version-$os-$arch
  bin=crossdock
  [[ $os == windows ]] && bin=crossdock.exe
  mkdir "$out/$name"
  printf '%-15s' "$system"
  CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -ldflags '-s -w -buildid=' -o "$out/$name/$bin" ./cmd/crossdock
  cp LICENSE README.md "$out/$name"
  tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$stamp" -cf - "$name" | gzip -n >"$out/$name.tar.gz"
  rm -r "${out:?}/$name"
  du -h "$out/$name.tar.gz" | cut -f1
done
(cd "$out" && sha256sum -- *.tar.gz >SHA256SUMS)
