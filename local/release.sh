#!/bin/sh
# Prints a folder with the tree of the release before, which e2e/upgrade-from
# names: taken out of this checkout's own history once, and kept.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
commit=$(cat "$root/e2e/upgrade-from")
if ! git -C "$root" cat-file -e "$commit^{commit}" 2>/dev/null; then
	echo "The history here does not reach back to $commit, the release that upgrades are tried from. Fetch the rest: git fetch --unshallow" >&2
	exit 1
fi
folder=${XDG_CACHE_HOME:-$HOME/.cache}/vinfast-releases/$commit
if [ ! -d "$folder" ]; then
	mkdir -p "${folder%/*}"
	new=$(mktemp -d "$folder.XXXXXX")
	# An index of its own: that of the checkout stays as it is.
	GIT_INDEX_FILE=$new/index git -C "$root" read-tree "$commit"
	GIT_INDEX_FILE=$new/index git -C "$root" checkout-index --all --prefix="$new/tree/"
	git init -q "$new/tree" # whoever copies a checkout asks git for its files
	[ -d "$folder" ] || mv "$new/tree" "$folder" # another may have been faster
	rm -rf "$new"
fi
echo "$folder"
