#!/bin/sh
# Runs the official conformance suite and the inspector against the real binary.
#
#   conformance.sh BINARY [FOLDER]
#
# Every scenario that needs no fixture tools has to pass, in the revisions 2025-11-25 and 2026-07-28; a check may fail only
# where the suite itself says that it could not be tried. The inspector may find nothing in tools/list, over stdio and HTTP, as
# an older and as a newer client. FOLDER keeps the npm packages of package.json (Node 22, the suite, the inspector) from one run
# to the next, as tests/clients/run does; without it a temporary one is used. Needs npm. Exits 1 on the first failure.
set -eu

binary=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
kept=${2:-}
work=${kept:-$(mktemp -d)}
mkdir -p "$work"
work=$(realpath "$work")
# Elsewhere: FOLDER may be one that git ignores, and no site is made there.
run=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$run"
    [ -n "$kept" ] || rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

cd "$work"
if [ ! -x node_modules/.bin/mcp-inspector ] || [ ! -x node_modules/.bin/conformance ]; then
    cp "$here/package.json" .
    npm install --no-audit --no-fund --no-package-lock --loglevel=error
fi
PATH="$work/node_modules/.bin:$PATH"
mkdir -p "$run/home"
# The inspector writes a catalogue there.
HOME="$run/home"
export PATH HOME

"$binary" init "$run/site" --title Conformance > "$run/init.log"
"$binary" serve --site "$run/site" --http 127.0.0.1:0 --no-token --no-preview 2> "$run/server.log" &
server=$!
url=
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    url=$(sed -n 's|^MCP: *\(http://[^ ]*\).*|\1|p' "$run/server.log")
    [ -z "$url" ] || break
    sleep 0.5
done
[ -n "$url" ] || { cat "$run/server.log"; echo "the server did not start"; exit 1; }

for revision in 2025-11-25 2026-07-28; do
    # It fails for want of fixtures: what counts is read from its reports.
    timeout 100 conformance server --url "$url" --requirements "$revision" -o "$run/$revision" > "$run/$revision.log" 2>&1 || true
    node "$here/conformance.mjs" "$run/$revision" "$revision"
done

for era in legacy modern; do
    timeout 60 mcp-inspector --cli --protocol-era "$era" --method tools/list --strict --format json \
        "$binary" serve --site "$run/site" --no-preview > "$run/tools.json"
    timeout 60 mcp-inspector --cli --protocol-era "$era" --method tools/list --strict --format json \
        --transport http --server-url "$url" > "$run/tools-http.json"
    cmp "$run/tools.json" "$run/tools-http.json"
    for method in resources/list resources/templates/list prompts/list; do
        timeout 60 mcp-inspector --cli --protocol-era "$era" --method "$method" --format json \
            --transport http --server-url "$url" > "$run/list.json"
    done
    timeout 60 mcp-inspector --cli --protocol-era "$era" --method resources/read --uri site:///site.yaml --format json \
        --transport http --server-url "$url" > "$run/read.json"
    grep -q base_url "$run/read.json"
    echo "inspector, $era: clean"
done
