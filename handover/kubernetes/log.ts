/** Of what is looked for in logs: the same fields in each line that has them. */
export interface LogFields {
  readonly function?: string;
  /** `namespace/name` */
  readonly vmi?: string;
  /** The name of the migration, in the namespace of the VMI. */
  readonly vmim?: string | undefined;
  /** Id of the CloudEvent that woke the function. */
  readonly event?: string;
  /** W3C Trace Context of that event. */
  readonly traceparent?: string;
  readonly port?: string;
  readonly pod?: string;
  /** Of the binding table (docs/flow.svg). */
  readonly rule?: string;
  /** What came of a decision: the binding that a port was given, `ungated`, `nothing`, or why there is none. */
  readonly result?: string;
  /** Of an Event on the VMI. */
  readonly reason?: string;
}

type Line = (fields: LogFields, message: string) => void;

/** One JSON line each; `functions/server/log.ts` writes them. */
export interface Log {
  readonly debug: Line;
  readonly info: Line;
  readonly warn: Line;
  readonly error: Line;
}

/** A log whose lines have these fields, too. */
export function logWith(log: Log, common: LogFields): Log {
  const line =
    (level: keyof Log): Line =>
    (fields, message) =>
      log[level]({ ...common, ...fields }, message);
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}
