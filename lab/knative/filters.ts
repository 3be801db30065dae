import { anyFields, fields, list, ManifestError, text } from './manifests.ts';

/** The attributes and extensions of a CloudEvent, as strings; filters never see data. */
export type Attributes = Readonly<Record<string, string | undefined>>;
export type Filter = (attributes: Attributes) => boolean;

const ATTRIBUTE_NAME = /^[a-z][a-z0-9]*$/;

/**
 * Compiles what a Trigger's spec says of the events that it wants. `filters` overrides `filter`, as in Knative.
 *
 * @param spec - The Trigger's `spec`.
 * @param where - Named in errors.
 * @throws ManifestError for a dialect or a field that is not known, also deep inside.
 */
export function compileFilters(spec: { filter?: unknown; filters?: unknown }, where: string): Filter {
  const attributes = spec.filter === undefined ? always : attributesFilter(spec.filter, `${where}.filter`);
  if (spec.filters === undefined) return attributes;
  return all(spec.filters, `${where}.filters`);
}

const always: Filter = () => true;

const DIALECTS: Readonly<Record<string, (value: unknown, where: string) => Filter>> = {
  exact: (value, where) => matching(value, where, (actual, expected) => actual === expected),
  prefix: (value, where) => matching(value, where, (actual, expected) => actual.startsWith(expected)),
  suffix: (value, where) => matching(value, where, (actual, expected) => actual.endsWith(expected)),
  all,
  any: (value, where) => {
    const filters = nested(value, where);
    return (attributes) => filters.some((filter) => filter(attributes));
  },
  not: (value, where) => {
    const filter = dialect(value, where);
    return (attributes) => !filter(attributes);
  },
};

function dialect(value: unknown, where: string): Filter {
  const entries = Object.entries(anyFields(value, where));
  const [entry] = entries;
  if (entries.length !== 1 || entry === undefined) {
    throw new ManifestError(where, `must have one dialect, has ${entries.length}`);
  }
  const [name, operand] = entry;
  const compile = DIALECTS[name];
  if (!compile) {
    throw new ManifestError(where, `dialect '${name}' is not known; known are ${Object.keys(DIALECTS).join(', ')}`);
  }
  return compile(operand, `${where}.${name}`);
}

function all(value: unknown, where: string): Filter {
  const filters = nested(value, where);
  return (attributes) => filters.every((filter) => filter(attributes));
}

function nested(value: unknown, where: string): Filter[] {
  return list(value, where).map((filter, index) => dialect(filter, `${where}[${index}]`));
}

function matching(value: unknown, where: string, matches: (actual: string, expected: string) => boolean): Filter {
  const expectations = attributeMap(value, where).map(([name, expected]) => {
    return [name, text(expected, `${where}.${name}`)] as const;
  });
  return (attributes) => {
    return expectations.every(([name, expected]) => {
      const actual = attributes[name];
      return actual !== undefined && matches(actual, expected);
    });
  };
}

/** In `filter.attributes`, unlike in `exact`, an empty string stands for any value. */
function attributesFilter(value: unknown, where: string): Filter {
  const { attributes: wanted } = fields(value, where, ['attributes']);
  if (wanted === undefined) return always;
  const expectations = attributeMap(wanted, `${where}.attributes`);
  return (attributes) => {
    return expectations.every(([name, expected]) => {
      const actual = attributes[name];
      return actual !== undefined && (expected === '' || actual === expected);
    });
  };
}

function attributeMap(value: unknown, where: string): [string, unknown][] {
  const entries = Object.entries(anyFields(value, where));
  if (entries.length === 0) throw new ManifestError(where, 'must name an attribute');
  for (const [name] of entries) {
    if (!ATTRIBUTE_NAME.test(name)) {
      throw new ManifestError(where, `'${name}' is no attribute name: lower-case letters and digits, a letter first`);
    }
  }
  return entries;
}
