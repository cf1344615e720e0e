#!/bin/sh
# Send pictures to a Framepost receiver, and print what became of each in one line.
#
#     send.sh [-w SECONDS] [-e] [-m SECONDS] [-t TYPE] URL CAMERA FILE...
#
#   -w SECONDS  wait so long for each picture's result
#   -e          have every picture processed, even if a newer one comes
#   -m SECONDS  give each exchange so long (5); what -w waits for comes on top
#   -t TYPE     the Content-Type, where the file's name does not tell it, such as
#               'application/x-raw-bgr; width=1280; height=720'
#
# FRAMEPOST_TOKEN, if it is set, is sent as the token.
#
# Ends with 0 when all were taken, 1 when one was refused or its hook failed, 2 when it was called
# wrongly, 3 when one had no reply. One curl process (7.75 or newer) sends all files, and so one
# connection does.
set -eu

usage='usage: send.sh [-w SECONDS] [-e] [-m SECONDS] [-t TYPE] URL CAMERA FILE...'

fail() {
    printf 'send.sh: %s\n' "$1" >&2
    exit 2
}

check_number() {
    case $2 in
    '' | *[!0-9.]* | *.*.*) fail "$1: expected seconds, got '$2'" ;;
    esac
}

media_type() {
    case $1 in
    *.[Pp][Nn][Gg]) echo image/png ;;
    *.[Ww][Ee][Bb][Pp]) echo image/webp ;;
    *) echo image/jpeg ;;
    esac
}

# Print "$1" = "$2" as a line of curl's configuration.
option() {
    printf '%s = "%s"\n' "$1" "$(printf '%s' "$2" | sed 's/[\\"]/\\&/g')"
}

# Print what curl is to do. On its standard input, where no other user sees the token.
configuration() {
    epoch=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
    seq=0
    for file in "$@"; do
        [ "$seq" -eq 0 ] || echo next
        option url "$url/cameras/$camera/frames$mode"
        option header "Content-Type: ${type:-$(media_type "$file")}"
        option header "X-Frame-Epoch: $epoch"
        option header "X-Frame-Seq: $seq"
        option header 'Expect:'
        [ -z "$wait" ] || option header "Prefer: wait=$wait"
        [ -z "$token" ] || option header "Authorization: Bearer $token"
        case $file in
        /*) option data-binary "@$file" ;;
        *) option data-binary "@./$file" ;;
        esac
        option connect-timeout 2
        option max-time "$limit"
        option noproxy '*'
        option write-out "%{stderr}\n$mark %{http_code} %{exitcode} %{errormsg}\n"
        printf 'globoff\nsilent\nno-buffer\n'
        seq=$((seq + 1))
    done
}

# Read bodies, with a line that begins with the mark behind each; print a line for each file.
report() {
    status=0 body=''
    while IFS= read -r line; do
        case $line in
        "$mark "*) ;;
        *)
            body="$body${body:+ }$line"
            continue
            ;;
        esac
        line=${line#"$mark "}
        code=${line%% *} line=${line#* }
        error=${line#* }
        body=${body% }
        if [ "${line%% *}" != 0 ]; then
            status=3
            printf '%s: no reply, %s\n' "$1" "$error"
        else
            case $code$body in
            2??*'"state"'*) ;;
            2??*)
                status=3
                body="expected a Framepost receiver's reply, got $body"
                ;;
            *) [ "$status" -eq 3 ] || status=1 ;;
            esac
            printf '%s: %s %s\n' "$1" "$code" "$body"
        fi
        shift
        body=''
    done
    for file in "$@"; do
        status=3
        printf '%s: no reply, curl ended early\n' "$file"
    done
    return "$status"
}

wait='' mode='' seconds=5 type='' token=${FRAMEPOST_TOKEN-}
while getopts :w:em:t: letter; do
    case $letter in
    w) wait=$OPTARG ;;
    e) mode='?mode=every' ;;
    m) seconds=$OPTARG ;;
    t) type=$OPTARG ;;
    *) fail "$usage" ;;
    esac
done
shift $((OPTIND - 1))
[ $# -ge 3 ] || fail "$usage"
url=${1%/} camera=$2
shift 2

command -v curl >/dev/null || fail 'curl is not installed'
check_number -m "$seconds"
check_number -w "${wait:-0}"
limit=$(awk "BEGIN { print $seconds + ${wait:-0} }")
case $url in
http://?* | https://?*) ;;
*) fail "URL: expected http://HOST:PORT, got '$url'" ;;
esac
case $camera in
'' | [!A-Za-z0-9]* | *[!A-Za-z0-9_.-]*)
    fail "CAMERA: expected letters, digits, '_', '.' or '-', the first a letter or digit, got '$camera'"
    ;;
esac
newline='
'
case "$url$type$token" in
*"$newline"*) fail 'URL, -t and FRAMEPOST_TOKEN: expected one line each' ;;
esac
for file in "$@"; do
    case $file in *"$newline"*) fail "FILE: expected a name in one line, got '$file'" ;; esac
    if ! [ -f "$file" ] || ! [ -r "$file" ]; then
        fail "$file: expected a file that can be read"
    fi
done
mark="--$$-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')"

configuration "$@" | curl -q --config - 2>&1 | report "$@"
