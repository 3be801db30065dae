/**
 * The root of an image as a container has it: read-only, with this machine's /proc, /dev and /tmp, and its network. `$0` is
 * the root, `$1` whom to run as.
 */
const ENTER = `
set -e
mount --bind "$0" "$0"
for folder in proc dev tmp; do mount --bind "/$folder" "$0/$folder"; done
mount -o remount,bind,ro "$0"
user=$1; root=$0; shift
exec chroot --userspec="$user" "$root" "$@"
`;

/** A command line that runs `command` there; it stays the same process. */
export function inImageRoot(root: string, user: string, command: readonly string[]): readonly [string, ...string[]] {
  return ['unshare', '--mount', 'sh', '-c', ENTER, root, user, ...command];
}
