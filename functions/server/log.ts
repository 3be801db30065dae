import { hostname } from 'node:os';

/** Numbers of pino, by which func's runtime for Node.js logs. */
const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;

export type LogLevel = keyof typeof LEVELS;
type Line = (...line: readonly [fields: object, message: string] | readonly [message: string]) => void;
export type JsonLog = Readonly<Record<LogLevel, Line>>;

/** A log on stdout of one JSON line each, with the fields of pino. */
export function jsonLog(least: LogLevel): JsonLog {
  const common = { pid: process.pid, hostname: hostname() };
  const lineOf = (level: LogLevel): Line => {
    if (LEVELS[level] < LEVELS[least]) return () => {};
    return (...line) => {
      const [fields, message] = line.length === 1 ? [{}, line[0]] : line;
      const all = { level: LEVELS[level], time: Date.now(), ...common, ...fields, msg: message };
      process.stdout.write(`${JSON.stringify(all)}\n`);
    };
  };
  return {
    trace: lineOf('trace'),
    debug: lineOf('debug'),
    info: lineOf('info'),
    warn: lineOf('warn'),
    error: lineOf('error'),
    fatal: lineOf('fatal'),
  };
}
