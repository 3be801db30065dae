import {
  type CelInput,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  isCelError,
  isCelList,
  parse,
  plan,
} from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { toJson } from '@bufbuild/protobuf';
import { isReflectMessage } from '@bufbuild/protobuf/reflect';
import { isRecord } from '../object.ts';
import { jsonPatchTypes } from './json-patch-type.ts';
import { unknownNames } from './unknown-names.ts';

/** What an expression sees; all of it as plain JSON. */
export interface Bindings {
  readonly object: unknown;
  readonly oldObject: unknown;
  readonly request: unknown;
}

/** Evaluates to plain JSON. @throws Error when the evaluation fails, for example on a field that is not there. */
export type Expression = (bindings: Bindings) => unknown;

const environment = celEnv({
  registry: jsonPatchTypes,
  variables: { object: CelScalar.DYN, oldObject: CelScalar.DYN, request: CelScalar.DYN },
  funcs: [
    ...strings,
    celFunc('jsonpatch.escapeKey', [CelScalar.STRING], CelScalar.STRING, (key) =>
      key.replaceAll('~', '~0').replaceAll('/', '~1'),
    ),
  ],
});

/**
 * Compiles a CEL expression of an admission policy.
 * @throws Error when it is no CEL, or uses a variable, function or type that is not to be had here.
 */
export function compile(text: string): Expression {
  const parsed = parse(text);
  const unknown = unknownNames(parsed.expr, {
    isVariable: (name) => environment.variables.find(name) !== undefined,
    isFunction: (name) => environment.funcs.find(name) !== undefined,
    isType: (name) => jsonPatchTypes.getMessage(name) !== undefined,
  });
  if (unknown.length > 0) throw new Error(`unknown ${unknown.join(', ')}`);
  const evaluate = plan(environment, parsed);
  return ({ object, oldObject, request }) => {
    const result = evaluate({ object: toCel(object), oldObject: toCel(oldObject), request: toCel(request) });
    if (isCelError(result)) throw new Error(result.message);
    return fromCel(result);
  };
}

/** Whole numbers are CEL ints, as they are by the schemas of the API server. */
function toCel(value: unknown): CelInput {
  if (Array.isArray(value)) return value.map(toCel);
  if (isRecord(value)) return new Map(Object.entries(value).map(([key, item]) => [key, toCel(item)]));
  return Number.isInteger(value) ? BigInt(value as number) : (value as string | number | boolean | null);
}

/** Only what policies give back: booleans, and lists of JSONPatch. */
function fromCel(value: CelValue): unknown {
  if (isCelList(value)) return [...value].map(fromCel);
  return isReflectMessage(value) ? toJson(value.desc, value.message, { registry: jsonPatchTypes }) : value;
}
