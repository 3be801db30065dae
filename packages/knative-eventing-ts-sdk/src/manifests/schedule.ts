import type { Check } from './check.ts';

interface Unit {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const SECOND: Unit = { name: 'second', least: 0, most: 59 };
const UNITS: readonly Unit[] = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of the month', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12, names: MONTHS },
  // Not 7, which other crons take for Sunday.
  { name: 'day of the week', least: 0, most: 6, names: DAYS },
];
const DESCRIPTORS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

/** A PingSource's schedule: the language of Go's robfig/cron v3, which is stricter than most crons. */
export const schedule: Check<string> = (value, where) => {
  const what = typeof value === 'string' ? scheduleProblem(value) : 'must be a text such as "*/10 * * * *"';
  return what === undefined ? [] : [{ where, what }];
};

function scheduleProblem(text: string): string | undefined {
  const line = text.trim();
  if (/^(CRON_)?TZ=/.test(line)) return 'must not name a time zone; that is what timezone is for';
  if (line.startsWith('@')) {
    return DESCRIPTORS.includes(line) ? undefined : `is ${line}; must be ${DESCRIPTORS.join(', ')}, or fields of cron`;
  }
  const fields = line.split(/\s+/).filter(Boolean);
  if (fields.length !== 5 && fields.length !== 6) {
    return `must have 5 fields, or 6 with the seconds first, such as "*/10 * * * *"; has ${fields.length}`;
  }
  const units = fields.length === 6 ? [SECOND, ...UNITS] : UNITS;
  return fields.map((field, index) => fieldProblem(field, units[index]!)).find((what) => what !== undefined);
}

function fieldProblem(field: string, unit: Unit): string | undefined {
  const wrong = field.split(',').find((part) => !isRange(part, unit));
  if (wrong === undefined) return undefined;
  return `has ${JSON.stringify(wrong)} for a ${unit.name}; must be *, or from ${unit.least} to ${unit.most}, with - for a range and / for a step`;
}

function isRange(part: string, unit: Unit): boolean {
  const [range = '', step, ...more] = part.split('/');
  if (more.length > 0 || (step !== undefined && !/^0*[1-9]\d*$/.test(step))) return false;
  if (range === '*' || range === '?') return true;
  const [first, last, ...rest] = range.split('-').map((each) => numberOf(each, unit));
  return rest.length === 0 && isIn(first, unit) && (last === undefined || (isIn(last, unit) && first <= last));
}

function isIn(number: number | undefined, { least, most }: Unit): number is number {
  return number !== undefined && number >= least && number <= most;
}

function numberOf(text: string, { names = [], least }: Unit): number {
  const index = names.indexOf(text.toLowerCase());
  if (index >= 0) return index + least;
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** A name of the IANA time zone database. */
export const timeZone: Check<string> = (value, where) => {
  try {
    if (typeof value === 'string' && value !== '') new Intl.DateTimeFormat('en', { timeZone: value });
    else throw new RangeError('no text');
    return [];
  } catch {
    return [{ where, what: `must be a time zone such as Europe/Vienna, is ${JSON.stringify(value)}` }];
  }
};
