/** CloudEvents HTTP protocol binding 1.0.2, section 3.1.3.2: attributes in HTTP headers. */

/**
 * A value as a header takes it: percent-encoded where it is not printable ASCII, and where a reader would take it for
 * something else. A space inside stays one: the readers in Knative decode nothing, and HTTP needs it at neither side only.
 */
export function encodeHeader(value: unknown): string {
  return String(value)
    .toWellFormed()
    .replace(/[^\x20-\x7e]|["%]|^ +| +$/gu, encodeURIComponent);
}

/** Quotes of older senders come off first, then one round of percent-decoding. What decodes to no text stays as it is. */
export function decodeHeader(value: string): string {
  return unquoted(value).replace(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded;
    }
  });
}

/**
 * A URI as it is sent: CloudEvents' SDK for Go, and so all of Knative, does not encode the percent sign of a URI once more.
 * What is no URI when decoded was meant as it is.
 */
export function decodeUriHeader(value: string): string {
  const decoded = decodeHeader(value);
  return /^([\w\-.~:/?#[\]@!$&'()*+,;=]|%[0-9a-f]{2})*$/i.test(decoded) ? decoded : unquoted(value);
}

function unquoted(value: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value)?.[1];
  return quoted === undefined ? value : quoted.replace(/\\(.)/g, '$1');
}
