import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { whyNoCondition } from '../../src/manifests/cesql.ts';

// Whether each of these is parsed, and into what it evaluates, was seen with the library that Knative has: CloudEvents' SDK for Go.
describe('an expression of CESQL', () => {
  it.each([
    "subject = 'a'",
    `type = "it""s" AND source != 'it''s'`,
    "source LIKE '%\\\\_x' or NOT EXISTS subject",
    "kind NOT IN ('Pod', \"Node\") xor name not like 'a%'",
    'Int(hop) < int(ttl) AND INT(hop) < 1000',
    '-5 + -x * (2 - +3) % 4 <> 2147483647',
    "SUBSTRING(type, 1) = SUBSTRING(type, 1, 3) AND CONCAT() = '' AND CONCAT_WS(',') = ''",
    "LEFT(subject, 3) = 'a' AND is_int(hop) AND BOOL(flag)",
    'NOT NOT TRUE',
    "-x LIKE '1%'",
    'true\n\tAND\r\nfalse',
    '1a = 1',
    `${'('.repeat(100)}TRUE${')'.repeat(100)}`,
  ])('is a condition: %s', (expression) => {
    expect(whyNoCondition(expression)).toBeUndefined();
  });

  it.each([
    ['', 'expected a value, got the end, at character 1'],
    ["type == 'a'", 'expected a value, got =, at character 7'],
    ["type = 'a' && TRUE", 'unexpected &, at character 12'],
    ["type = 'a", "the text that ' begins has no end, at character 8"],
    ['name LIKE a', 'expected a text after LIKE, got a, at character 11'],
    ["name NOT 'a'", "expected LIKE or IN, got 'a', at character 10"],
    ["name IN ('a'", 'expected ), got the end, at character 13'],
    ['name IN ()', 'expected a value, got ), at character 10'],
    ["EXISTS 'a'", "expected an attribute after EXISTS, got 'a', at character 8"],
    ['(TRUE', 'expected ), got the end, at character 6'],
    ['TRUE)', 'expected an operator or the end, got ), at character 5'],
    ['hop+1 = 2', 'expected an operator or the end, got +1, at character 4'],
    ['hop = 2147483648', '2147483648 is no integer of 32 bits, at character 7'],
    ["my_name = 'a'", 'expected a value, got MY_NAME, at character 1'],
    ["a1_b = 'a'", 'a1_b is neither an attribute nor a function, at character 1'],
    ['LENGHT(type) = 1', 'there is no function LENGHT, at character 1'],
    ['TRUE OR constructor(type)', 'there is no function CONSTRUCTOR, at character 9'],
    ['LENGTH(type, id) = 1', 'LENGTH takes 1 value, got 2, at character 1'],
    ["LEFT(type) = 'a'", 'LEFT takes 2 values, got 1, at character 1'],
    ['SUBSTRING(type, 1, 2, 3) = id', 'SUBSTRING takes 2 to 3 values, got 4, at character 1'],
    ['CONCAT_WS() = id', 'expected a value, got ), at character 11'],
    ['('.repeat(100_000), 'has more than 200 parentheses in each other'],
  ])('is told why it is none: %s', (expression, why) => {
    expect(whyNoCondition(expression)).toBe(why);
  });

  it.each([
    ['subject', 'a text'],
    ["'a'", 'a text'],
    ['CONCAT(type, id)', 'a text'],
    ['INT(hop) + 1', 'a number'],
    ['-(1)', 'a number'],
    ["(type LIKE 'a') + 1", 'a number'],
  ])('is told so where no event could pass, since the broker fails at it: %s', (expression, result) => {
    expect(whyNoCondition(expression)).toBe(`results in ${result}; must be true or false, e.g. subject = 'a'`);
  });

  it('that is wrong is told of in one line, whatever it holds', () => {
    const written = fc.stringMatching(/^[a-z \n()'"=<>+\-,\\A-Z0-9_%]*$/);
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), written), (expression) => {
        expect(whyNoCondition(expression) ?? '').not.toMatch(/[\n\0]/);
      }),
    );
  });
});
