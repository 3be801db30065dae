const REDACTED = '(left out)';
const IS_SECRET = /password|passwd|secret|token|private|credential|api_?key/i;

/**
 * The same object without what is nobody else's: values of variables whose names tell of a secret, and copies of whole
 * objects that kubectl and the API server keep.
 */
export function redacted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Readonly<Record<string, unknown>>;
  const isVariable = typeof object.name === 'string' && typeof object.value === 'string';
  if (isVariable && IS_SECRET.test(object.name as string)) return { ...object, value: REDACTED };
  const entries = Object.entries(object).filter(([key]) => !LEFT_OUT.includes(key));
  return Object.fromEntries(
    entries.map(([key, each]) => [key, typeof each === 'string' && IS_SECRET.test(key) ? REDACTED : redacted(each)]),
  );
}

const LEFT_OUT = ['managedFields', 'kubectl.kubernetes.io/last-applied-configuration'];
