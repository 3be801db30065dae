/**
 * CESQL 1.0, the expression language of CloudEvents, as Knative reads it. Only what an expression is and results in is told
 * here, so the binding strengths of the operators are left out: they change neither.
 */

/** An attribute's value is a text, as it comes by HTTP. */
type Type = 'boolean' | 'integer' | 'string';

interface Signature {
  readonly least: number;
  readonly most: number;
  readonly type: Type;
}

const unary = (type: Type): Signature => ({ least: 1, most: 1, type });
/** Section 3.5, and the casts of Knative's library. */
const FUNCTIONS: Readonly<Record<string, Signature>> = {
  ABS: unary('integer'),
  LENGTH: unary('integer'),
  INT: unary('integer'),
  BOOL: unary('boolean'),
  IS_INT: unary('boolean'),
  IS_BOOL: unary('boolean'),
  STRING: unary('string'),
  LOWER: unary('string'),
  UPPER: unary('string'),
  TRIM: unary('string'),
  LEFT: { least: 2, most: 2, type: 'string' },
  RIGHT: { least: 2, most: 2, type: 'string' },
  SUBSTRING: { least: 2, most: 3, type: 'string' },
  CONCAT: { least: 0, most: Number.POSITIVE_INFINITY, type: 'string' },
  CONCAT_WS: { least: 1, most: Number.POSITIVE_INFINITY, type: 'string' },
};
/** Far more than anybody writes, and far less than the stack holds. */
const MAX_DEPTH = 200;
const KEYWORDS = ['AND', 'OR', 'XOR', 'NOT', 'LIKE', 'EXISTS', 'IN', 'TRUE', 'FALSE'];
const LOGIC = ['AND', 'OR', 'XOR'];
const COMPARISON = ['=', '!=', '<>', '>=', '<=', '<', '>'];
const ARITHMETIC = ['*', '/', '%', '+', '-'];

/** A sign before a digit belongs to the number, so `a+1` are two values in a row. */
const TOKEN =
  /[ \t\r\n]*(?:(?<integer>[+-]?\d+(?!\w)|[+-]\d+)|(?<word>\w+)|(?<text>"(?:\\.|""|[^"\\])*"|'(?:\\.|''|[^'\\])*')|(?<sign><=|>=|<>|!=|[()*/%+\-=<>,]))/sy;

interface Token {
  readonly kind: 'integer' | 'attribute' | 'function' | 'keyword' | 'text' | 'sign' | 'end';
  /** Keywords and functions in upper case, in which they may be written or not. */
  readonly value: string;
  /** Of its first character, from 1. */
  readonly position: number;
}

class CesqlError extends Error {}

/** Why this cannot choose events; `undefined` for an expression that can. */
export function whyNoCondition(expression: string): string | undefined {
  try {
    const type = new Parser(tokensOf(expression)).whole();
    return type === 'boolean' ? undefined : `results in ${NAMES[type]}; must be true or false, e.g. subject = 'a'`;
  } catch (error) {
    if (error instanceof CesqlError) return error.message;
    throw error;
  }
}

const NAMES: Readonly<Record<Type, string>> = { boolean: 'true or false', integer: 'a number', string: 'a text' };

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  const end = expression.trimEnd().length;
  for (let index = 0; index < end; ) {
    TOKEN.lastIndex = index;
    const match = TOKEN.exec(expression);
    if (match === null) {
      const [character = ''] = expression.slice(index).trimStart();
      const what = /["']/.test(character)
        ? `the text that ${character} begins has no end`
        : `unexpected ${JSON.stringify(character).slice(1, -1)}`;
      throw new CesqlError(`${what}, at character ${expression.indexOf(character, index) + 1}`);
    }
    index = TOKEN.lastIndex;
    tokens.push(tokenOf(match, index));
  }
  return [...tokens, { kind: 'end', value: 'the end', position: end + 1 }];
}

function tokenOf({ groups = {} }: RegExpExecArray, end: number): Token {
  const value = groups.integer ?? groups.word ?? groups.text ?? groups.sign!;
  const position = end - value.length + 1;
  const token = (kind: Token['kind'], text = value) => ({ kind, value: text, position });
  if (groups.integer !== undefined) return token('integer');
  if (groups.text !== undefined) return token('text');
  if (groups.sign !== undefined) return token('sign');
  const upper = value.toUpperCase();
  if (KEYWORDS.includes(upper)) return token('keyword', upper);
  if (/^[a-z0-9]+$/i.test(value)) return token('attribute');
  if (/^[a-z][a-z_]*$/i.test(value)) return token('function', upper);
  throw new CesqlError(`${value} is neither an attribute nor a function, at character ${position}`);
}

function inOneLine(value: string): string {
  const line = value.replace(/\s+/g, ' ');
  return line.length > 40 ? `${line.slice(0, 40).toWellFormed()}…` : line;
}

function rangeOf({ least, most }: Signature): string {
  if (most === Number.POSITIVE_INFINITY) return `${least} or more values`;
  return least === most ? `${least} value${least === 1 ? '' : 's'}` : `${least} to ${most} values`;
}

/** Section 2, by recursive descent. Each method takes what it is named after, and tells its type. */
class Parser {
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Type {
    const type = this.#expression();
    if (this.#next.kind !== 'end') this.#fail('an operator or the end');
    return type;
  }

  get #next(): Token {
    return this.#tokens[this.#index]!;
  }

  #take(): Token {
    return this.#tokens[this.#index++]!;
  }

  /** Takes the next token if it is one of these signs or keywords. */
  #takes(...values: readonly string[]): boolean {
    const { kind, value } = this.#next;
    if ((kind !== 'sign' && kind !== 'keyword') || !values.includes(value)) return false;
    this.#index++;
    return true;
  }

  #expect(value: string): void {
    if (!this.#takes(value)) this.#fail(value);
  }

  #fail(expected: string): never {
    const { value, position } = this.#next;
    throw new CesqlError(`expected ${expected}, got ${inOneLine(value)}, at character ${position}`);
  }

  /** Logic binds the least, then comparisons, then arithmetic: the weakest operator tells what all of it results in. */
  #expression(): Type {
    if (++this.#depth > MAX_DEPTH) throw new CesqlError(`has more than ${MAX_DEPTH} parentheses in each other`);
    let type = this.#operand();
    let isBoolean = false;
    for (;;) {
      if (this.#takes(...LOGIC, ...COMPARISON)) {
        isBoolean = true;
        this.#operand();
      } else if (this.#takes(...ARITHMETIC)) {
        this.#operand();
        type = 'integer';
      } else break;
    }
    this.#depth--;
    return isBoolean ? 'boolean' : type;
  }

  /** With what binds the most: NOT and -, then LIKE and IN. */
  #operand(): Type {
    let prefix: Type | undefined;
    while (this.#takes('NOT', '-')) prefix ??= this.#tokens[this.#index - 1]!.value === '-' ? 'integer' : 'boolean';
    const value = this.#value();
    let type = prefix ?? value;
    for (;;) {
      const isNegated = this.#takes('NOT');
      if (this.#takes('LIKE')) {
        if (this.#take().kind !== 'text') this.#failBefore('a text after LIKE');
      } else if (this.#takes('IN')) this.#list();
      else if (isNegated) this.#fail('LIKE or IN');
      else return type;
      type = 'boolean';
    }
  }

  #failBefore(expected: string): never {
    this.#index--;
    this.#fail(expected);
  }

  #value(): Type {
    if (this.#takes('TRUE', 'FALSE')) return 'boolean';
    if (this.#takes('EXISTS')) {
      if (this.#take().kind !== 'attribute') this.#failBefore('an attribute after EXISTS');
      return 'boolean';
    }
    if (this.#takes('(')) {
      const type = this.#expression();
      this.#expect(')');
      return type;
    }
    const token = this.#take();
    const { kind, value, position } = token;
    if (kind === 'text') return 'string';
    if (kind === 'integer') {
      if ((Number(value) | 0) === Number(value)) return 'integer';
      throw new CesqlError(`${value} is no integer of 32 bits, at character ${position}`);
    }
    const mayBeCalled = kind === 'function' || (kind === 'attribute' && /^[a-z]+$/i.test(value));
    if (mayBeCalled && this.#next.kind === 'sign' && this.#next.value === '(') return this.#call(token);
    return kind === 'attribute' ? 'string' : this.#failBefore('a value');
  }

  #call({ value, position }: Token): Type {
    const name = value.toUpperCase();
    const signature = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (signature === undefined) throw new CesqlError(`there is no function ${name}, at character ${position}`);
    const count = this.#list({ least: signature.least });
    if (count >= signature.least && count <= signature.most) return signature.type;
    throw new CesqlError(`${name} takes ${rangeOf(signature)}, got ${count}, at character ${position}`);
  }

  /** Values in parentheses, and how many. */
  #list({ least = 1 } = {}): number {
    this.#expect('(');
    if (this.#takes(')')) {
      if (least > 0) this.#failBefore('a value');
      return 0;
    }
    let count = 0;
    do {
      this.#expression();
      count++;
    } while (this.#takes(','));
    this.#expect(')');
    return count;
  }
}
