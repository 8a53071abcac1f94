#!/bin/sh
# Puts cleanslate's binaries, completions, man pages and hook under /usr/local. Each file and folder that it makes is
# listed in share/cleanslate/manifest, the last of them first, so that all of it can be taken out again.
set -eu
umask 022

prefix=/usr/local share=/usr/local/share/cleanslate
here=$(cd "$(dirname "$0")" && pwd)
own=$(sed -n 's/^ *"version": "\(.*\)",$/\1/p' "$here/devcontainer-feature.json")
version=${VERSION:-latest} source=${SOURCE:-auto} name=cleanslate-$own-$(uname -m)-linux.tar.gz
[ "$version" = latest ] && version=$own
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/tree list=$scratch/list
mkdir "$tree"

say() { echo "cleanslate: $*" >&2; }
wants() { [ "$source" = auto ] || [ "$source" = "$1" ]; }

# The checksum came with the Feature, so a release that was changed later is not taken.
unpack() { (cd "$2" && grep " $name\$" "$here/checksums" | sha256sum -c - >/dev/null) && tar xzf "$2/$name" -C "$tree" --no-same-owner; }
bundled() { [ "$version" = "$own" ] && [ -f "$here/$name" ] && unpack bundled "$here"; }
release() {
    [ "$version" = "$own" ] && [ -n "${RELEASES:-}" ] && command -v curl >/dev/null &&
        curl -fsSL "$RELEASES/v$version/$name" -o "$scratch/$name" && unpack release "$scratch"
}
cargo_install() {
    command -v cargo >/dev/null && for crate in services databases schema workspace; do
        cargo install --locked --root "$tree" --version "$version" "cleanslate-$crate" || return 1
    done && rm -f "$tree"/.crates*
}

# place FILE TARGET MODE
place() {
    folder=$(dirname "$2") made=
    while [ ! -d "$folder" ]; do made="$folder $made" folder=$(dirname "$folder"); done
    for folder in $made; do mkdir "$folder" && echo "$folder" >>"$list"; done
    install -m "$3" "$1" "$2" && echo "$2" >>"$list"
}

if wants bundled && bundled; then from=bundled
elif wants release && release; then from=release
elif wants cargo && cargo_install; then from=cargo
else say "no binaries of version $version for $(uname -m): source '$source' has none" && exit 1; fi
if [ "${INSTALLJUST:-true}" != true ] || command -v just >/dev/null; then rm -f "$tree/bin/just"
elif [ ! -f "$tree/bin/just" ]; then say 'just is missing, and not bundled: the binaries work without'; fi

(cd "$tree" && find . -type f | LC_ALL=C sort) >"$scratch/files"
while read -r file; do
    mode=644 && case $file in ./bin/*) mode=755 ;; esac
    place "$tree/$file" "$prefix/${file#./}" "$mode"
done <"$scratch/files"
forgive=--exit-zero && [ "${STRICT:-false}" = true ] && forgive=
printf '#!/bin/sh\n# Nobody answers here: stdin is shut.\n' >"$scratch/hook"
[ "${SETUP:-true}" != true ] || echo "exec $prefix/bin/slate-ensure $forgive </dev/null" >>"$scratch/hook"
place "$scratch/hook" "$share/hook" 755
echo "$share/manifest" >>"$list" && tac "$list" >"$share/manifest"
say "installed $(grep -c /bin/slate- "$list") binaries of version $version ($from)"
