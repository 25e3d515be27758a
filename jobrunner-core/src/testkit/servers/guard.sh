# Owns a test server: $1 is its directory, $2 the signal that ends it in haste, the rest is its command
# without the port, which comes last. Orders come line by line on stdin: `start PORT`, or the name of a
# signal that makes the server end. When stdin closes, because the owner let go or was killed, the
# server ends and its directory goes.
directory=$1 haste=$2
shift 2
server=
end() {
    [ -n "$server" ] || return 0
    kill -s "$1" "$server" 2>/dev/null
    wait "$server"
    server=
}
while read -r order port; do
    case $order in
    start)
        "$@" "$port" </dev/null >>"$directory/log" 2>&1 &
        server=$!
        ;;
    *)
        end "$order"
        echo ended
        ;;
    esac
done
end "$haste"
rm -rf "$directory"
