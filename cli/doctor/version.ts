/** Numbers of a version such as `v1.34.0+k3s1`; `undefined` where it tells none, as a build of one's own with v0.0.0. */
export function versionOf(text: string | undefined): readonly number[] | undefined {
  const digits = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text ?? '');
  const version = digits?.slice(1).map((part) => Number(part ?? 0));
  return version?.some((part) => part > 0) ? version : undefined;
}

export function isBefore(version: readonly number[], least: readonly number[]): boolean {
  const index = least.findIndex((part, at) => part !== (version[at] ?? 0));
  return index !== -1 && (version[index] ?? 0) < least[index]!;
}
