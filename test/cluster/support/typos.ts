type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What is written under these is the user's to name. */
const FREE = new Set(['labels', 'annotations', 'data', 'matchLabels', 'exact', 'extensions']);

/** The same document once for each of its keys, with a letter too many in that key. */
export function typosIn<Document extends object>(document: Document): { where: string; document: Document }[] {
  return [...variants(document as unknown as Json, '')].map(([where, variant]) => ({
    where,
    document: variant as unknown as Document,
  }));
}

function* variants(value: Json, where: string): Generator<[string, Json]> {
  if (Array.isArray(value)) {
    for (const [index, each] of value.entries()) {
      for (const [at, changed] of variants(each, `${where}/${index}`)) yield [at, value.with(index, changed)];
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value as Record<string, Json>)) {
      const { [key]: _, ...rest } = value as Record<string, Json>;
      yield [`${where}/${key}`, { ...rest, [`${key}s`]: each }];
      if (FREE.has(key)) continue;
      for (const [at, changed] of variants(each, `${where}/${key}`)) yield [at, { ...value, [key]: changed }];
    }
  }
}
