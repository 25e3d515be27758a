# Runs the ```sh blocks of a page against a fresh service; to be read by scripts that do.
# shellcheck shell=bash

# With everything, as the tests are built: then nothing is compiled twice.
cargo build --quiet --workspace --all-features
PATH=$(cd "${CARGO_TARGET_DIR:-target}/debug" && pwd):$PATH
export PATH

work=$(mktemp -d)
server=
clean_up() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap clean_up EXIT

# Starts a service, and sets JOBRUNNER_SERVER to its address and PASSWORD to that of its admin.
start_service() {
    export XDG_CONFIG_HOME=$work/config
    export JOBRUNNER_ADMIN_EMAIL=admin@example.com JOBRUNNER_ADMIN_PASSWORD='correct horse battery'
    jobrunner up --listen 127.0.0.1:0 --data-dir "$work/data" 2>"$work/server" &
    server=$!
    JOBRUNNER_SERVER=
    while [ -z "$JOBRUNNER_SERVER" ] && kill -0 "$server" 2>/dev/null; do
        sleep 0.1
        JOBRUNNER_SERVER=$(sed -n 's|^  page *\(http://.*\)/$|\1|p' "$work/server")
    done
    if [ -z "$JOBRUNNER_SERVER" ]; then
        echo "the service does not come up; it says:" >&2
        cat "$work/server" >&2
        exit 1
    fi
    export JOBRUNNER_SERVER PASSWORD=$JOBRUNNER_ADMIN_PASSWORD
}

# Runs the blocks of a page between the marks "NAME:start" and "NAME:end", in order, in this shell and in a
# directory. One that follows a "<!-- file: NAME -->" is written to that file. A block must succeed; a line
# "# prints: TEXT" in it must be true.
run_blocks() {
    # Names that no block uses: what a block sets is set here, too.
    local tour_page=$1 tour_mark=$2 tour_directory=$3 tour_blocks=0 tour_block tour_expected
    rm -f "$work"/block-*
    sed -n "/<!-- $tour_mark:start -->/,/<!-- $tour_mark:end -->/p" "$tour_page" |
        awk -v work="$work" -v directory="$tour_directory" '
            /^<!-- file: / { file = directory "/" $3; next }
            /^```sh$/ { out = sprintf("%s/block-%02d", work, ++n); next }
            /^```[a-z]+$/ { out = file; next }
            /^```$/ { out = ""; next }
            out { print > out }'
    pushd "$tour_directory" >/dev/null || exit
    for tour_block in "$work"/block-*; do
        # shellcheck source=/dev/null
        if ! . "$tour_block" >"$work/printed" 2>&1; then
            echo "this block of $tour_page fails:" >&2
            cat "$tour_block" "$work/printed" >&2
            exit 1
        fi
        while read -r tour_expected; do
            if ! grep -qF -- "$tour_expected" "$work/printed"; then
                echo "a block of $tour_page does not print \"$tour_expected\":" >&2
                cat "$tour_block" "$work/printed" >&2
                exit 1
            fi
        done < <(sed -n 's/^# prints: //p' "$tour_block")
        tour_blocks=$((tour_blocks + 1))
    done
    popd >/dev/null || exit
    [ "$tour_blocks" -ge 5 ] || { echo "only $tour_blocks blocks were found in $tour_page" >&2; exit 1; }
    echo "$tour_blocks blocks of $tour_page do what they say"
}
