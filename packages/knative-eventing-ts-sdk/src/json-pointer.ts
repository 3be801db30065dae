/** The JSON pointer (RFC 6901) of a field or an element. */
export function at(where: string, key: string | number): string {
  return `${where}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
