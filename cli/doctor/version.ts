/** Numbers of a version such as `v1.34.0+k3s1`; `undefined` where it begins with none. */
export function versionOf(text: string | undefined): readonly number[] | undefined {
  const digits = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text ?? '');
  return digits ? digits.slice(1).map((part) => Number(part ?? 0)) : undefined;
}

export function isBefore(version: readonly number[], least: readonly number[]): boolean {
  const index = least.findIndex((part, at) => part !== (version[at] ?? 0));
  return index !== -1 && (version[index] ?? 0) < least[index]!;
}
