#!/bin/sh
# A stand-in for apptainer where there is none: `exec [--bind SRC[:DEST[:ro|rw]]]... IMAGE COMMAND...` with an image that is
# a directory, as root. It enters the image in a mount namespace of its own, with what apptainer 1.x documents: home, /tmp,
# /var/tmp, the current directory, /proc, /sys and /dev are there, the image is read-only, the command starts in the current
# directory, the host's variables pass in, the image's win over them (here: /etc/environment), those of APPTAINERENV_ win
# over both and are evaluated, PATH is the image's, and the exit code is the command's, or 255 after a line of FATAL.
# A command that is not in the image, registries and all other options are not what apptainer does of them.
set -eu

fatal() {
  printf 'FATAL:   %s\n' "$1" >&2
  exit 255
}

if [ "${1-}" != inside ]; then
  [ "${1-}" = exec ] || fatal "the stand-in knows only exec, not ${1-nothing}"
  exec unshare --mount --propagation private -- sh "$0" inside "$@"
fi
shift 2

# An overlay keeps the image as it is while mount points are made in it.
cwd=$(pwd)
host_home=${HOME-}
binds=$(mktemp)
while [ "${1-}" = --bind ]; do
  printf '%s\n' "$2" >>"$binds"
  shift 2
done
case ${1-} in -*) fatal "unknown flag: $1" ;; esac
image=$1
shift
[ -e "$image" ] ||
  fatal "could not open image $image: failed to retrieve path for $image: lstat $image: no such file or directory"

# Not where a bind could come from.
place=/mnt
mount -t tmpfs tmpfs "$place"
mkdir "$place/upper" "$place/work" "$place/root"
mount -t overlay overlay -o "lowerdir=$image,upperdir=$place/upper,workdir=$place/work" "$place/root"
root=$place/root

bind() {
  [ -e "$1" ] ||
    fatal "container creation failed: mount hook function failure: mount $1->$2 error: while mounting $1: mount source $1 doesn't exist"
  if [ -d "$1" ]; then
    mkdir -p "$root$2"
  elif [ ! -e "$root$2" ]; then
    mkdir -p "$(dirname "$root$2")"
    : >"$root$2"
  fi
  mount --rbind "$1" "$root$2"
  case $3 in
  ro) mount -o remount,bind,ro "$root$2" ;;
  rw | '') ;;
  *) fatal "invalid mount option $3" ;;
  esac
}

for part in /proc /sys /dev /tmp /var/tmp /etc/hosts /etc/resolv.conf "$host_home" "$cwd"; do
  if [ -e "$part" ] && [ "$part" != / ]; then bind "$part" "$part" ''; fi
done
while IFS= read -r spec; do
  source=${spec%%:*}
  rest=${spec#"$source"}
  rest=${rest#:}
  target=${rest%%:*}
  options=${rest#"$target"}
  bind "$source" "${target:-$source}" "${options#:}"
done <"$binds"
rm -f "$binds"
mount -o remount,ro "$root"

set -a
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
[ ! -e "$root/etc/environment" ] || . "$root/etc/environment"
for name in $(env | sed -n 's/^APPTAINERENV_\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'); do
  eval "value=\$APPTAINERENV_$name"
  eval "$name=\"$value\""
  unset "APPTAINERENV_$name" value
done
set +a
exec chroot "$root" /bin/sh -c 'cd "$0" 2>/dev/null || cd /; exec "$@"' "$cwd" "$@"
