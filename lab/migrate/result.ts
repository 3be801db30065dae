import type { GuestHealth } from '../guest/guest.ts';

/** How the binding is switched: by the functions, only after the migration, or with both chassis open all along. */
export type Mode = 'handover' | 'single' | 'floor';

/** A ping: when it was sent, and its round trip, both in ms; `null` when no answer came. */
export type PingSample = readonly [sentAtMs: number, rttMs: number | null];

/** An event's delivery: when it was answered, the status, and how long the answer took, ms. */
export type Delivery = readonly [answeredAtMs: number, status: number, tookMs: number];

/** Times `atMs` are relative to the creation of the VMIM. */
export interface MigrationResult {
  readonly mode: Mode;
  readonly migration: string;
  readonly startedAt: string;
  readonly from: string;
  readonly to: string;
  /** KubeVirt's own verdict. */
  readonly phase: string;
  /** Longest time without an answer to ping; a last answer that never comes counts up to the end of the measurement. */
  readonly outageMs: number;
  readonly outageAtMs: number;
  /** How long QEMU let the guest run nowhere. */
  readonly guestBlackoutMs: number | undefined;
  /** When the guest ran again, on the target. */
  readonly switchedAtMs: number | undefined;
  readonly sentPings: number;
  readonly lostPings: number;
  readonly tcpMaxStallMs: number;
  readonly tcpBroken: boolean;
  /** The target opened itself: SB has its name in additional-chassis-activated. */
  readonly activatedByRarp: boolean;
  /** Seen from behind, on its console: whether an outage is the network's or the guest's. */
  readonly guest: GuestHealth;
  /** Each change of the logical switch port in NB. */
  readonly bindings: readonly {
    readonly atMs: number;
    readonly requestedChassis: string | undefined;
    readonly activationStrategy: string | undefined;
    readonly record: Readonly<Record<string, string>>;
  }[];
  /** Each change of the claim in SB. */
  readonly claims: readonly {
    readonly atMs: number;
    readonly chassis: string | undefined;
    readonly additionalChassis: readonly string[];
    readonly activated: readonly string[];
  }[];
  /** How often the target claimed the port for itself while the guest still ran on the source. */
  readonly stolenClaims: number;
  /** What KubeVirt did, in words; `phase` where it is one of the VMIM. */
  readonly phases: readonly { readonly atMs: number; readonly what: string; readonly phase?: string }[];
  readonly functions: Readonly<Record<string, FunctionResult>>;
  /** Every ping, in the order in which they were sent. */
  readonly pings: readonly PingSample[];
}

export interface FunctionResult {
  readonly coldStarts: readonly { readonly atMs: number; readonly ms: number }[];
  /** Deliveries, retries among them. */
  readonly events: number;
  /** How often each status was answered. */
  readonly answers: Readonly<Record<string, number>>;
  readonly deliveries: readonly Delivery[];
}

export interface Report {
  readonly mode: Mode;
  readonly gate: boolean;
  readonly eventDelayMs: number;
  readonly paceMs: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly migrations: readonly MigrationResult[];
  readonly summary: Summary;
}

type Figure = 'outageMs' | 'guestBlackoutMs' | 'lostPings' | 'tcpMaxStallMs';
export type Summary = Readonly<Record<Figure, { readonly median: number; readonly worst: number }>>;

export function summarize(migrations: readonly MigrationResult[]): Summary {
  const figure = (name: Figure) => {
    const values = migrations.flatMap((migration) => migration[name] ?? []).sort((a, b) => a - b);
    return { median: median(values), worst: values.at(-1) ?? Number.NaN };
  };
  return {
    outageMs: figure('outageMs'),
    guestBlackoutMs: figure('guestBlackoutMs'),
    lostPings: figure('lostPings'),
    tcpMaxStallMs: figure('tcpMaxStallMs'),
  };
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)]!;
  return Math.round((sorted[middle - 1]! + sorted[middle]!) * 5) / 10;
}

/** What a hand-over promises: everything that this migration broke of it, in words; empty when all is well. */
export function brokenPromises(result: MigrationResult): string[] {
  const { mode, phase, guest, outageMs, tcpBroken, activatedByRarp } = result;
  const broken: string[] = [];
  if (phase !== 'Succeeded') broken.push(`KubeVirt ended it as ${phase}`);
  if (guest !== 'running') broken.push(`the guest is ${guest}, which no network can help`);
  if (mode !== 'handover') return broken;
  if (outageMs >= 500) broken.push(`ping was out for ${Math.round(outageMs)} ms, 500 ms are promised`);
  if (tcpBroken) broken.push('the TCP connection broke');
  if (!activatedByRarp) broken.push('the target was not opened by the RARP');
  if (result.stolenClaims > 0) broken.push(`the target stole the claim ${result.stolenClaims} times before the switch`);
  const story = bindingStory(result).join(' → ');
  if (!story.endsWith('pinned → dual → pinned')) broken.push(`the binding went ${story || 'nowhere'}`);
  return broken;
}

/** `unbound`, `pinned` and `dual` in the order in which they were seen. */
export function bindingStory({ bindings }: MigrationResult): string[] {
  const words = bindings.map(({ requestedChassis }) =>
    requestedChassis === undefined ? 'unbound' : requestedChassis.includes(',') ? 'dual' : 'pinned',
  );
  return words.filter((word, index) => word !== words[index - 1]);
}
