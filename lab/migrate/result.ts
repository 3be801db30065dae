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
  /** How long QEMU let the guest run nowhere. */
  readonly guestBlackoutMs: number | undefined;
  /** When the guest ran again, on the target. */
  readonly switchedAtMs: number | undefined;
  /** Seen from behind, on its console: whether an outage is the network's or the guest's. */
  readonly guest: GuestHealth;
  /** In the order of the VM's. */
  readonly interfaces: readonly [InterfaceResult, ...InterfaceResult[]];
  /** What KubeVirt did, in words; `phase` where it is one of the VMIM. */
  readonly phases: readonly { readonly atMs: number; readonly what: string; readonly phase?: string }[];
  readonly functions: Readonly<Record<string, FunctionResult>>;
  /** Transactions of the functions in NB's log. */
  readonly commits: number;
  /** What was wrong, by the Events on the VMI. */
  readonly warnings: readonly string[];
  /** Which scheduling gates held the target pod, from when on; older results do not tell. */
  readonly gates?: readonly { readonly atMs: number; readonly held: readonly string[] }[];
  /** How much of the machine's CPU time was taken in the quiet seconds around it, where little of ours runs: 0 to 1. */
  readonly machineBusy?: number;
}

/** What the client and OVN saw of one interface of the VM. */
export interface InterfaceResult {
  readonly port: string;
  /** Longest time without an answer to ping; a last answer that never comes counts up to the end of the measurement. */
  readonly outageMs: number;
  readonly outageAtMs: number;
  readonly sentPings: number;
  readonly lostPings: number;
  readonly tcpMaxStallMs: number;
  readonly tcpBroken: boolean;
  /** Why the connection broke, and when. */
  readonly tcpBreak?: { readonly atMs: number; readonly reason: string };
  /** The target opened itself: SB has its name in additional-chassis-activated. */
  readonly activatedByRarp: boolean;
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

export interface Spread {
  readonly median: number;
  readonly worst: number;
}

export interface Summary {
  readonly guestBlackoutMs: Spread;
  /** In the order of the VM's interfaces. */
  readonly interfaces: readonly {
    readonly port: string;
    readonly outageMs: Spread;
    readonly lostPings: Spread;
    readonly tcpMaxStallMs: Spread;
  }[];
}

export function summarize(migrations: readonly MigrationResult[]): Summary {
  const ports = migrations[0]?.interfaces.map(({ port }) => port) ?? [];
  return {
    guestBlackoutMs: spread(migrations.flatMap(({ guestBlackoutMs }) => guestBlackoutMs ?? [])),
    interfaces: ports.map((port, index) => {
      const figure = (name: 'outageMs' | 'lostPings' | 'tcpMaxStallMs') =>
        spread(migrations.map(({ interfaces }) => interfaces[index]![name]));
      return {
        port,
        outageMs: figure('outageMs'),
        lostPings: figure('lostPings'),
        tcpMaxStallMs: figure('tcpMaxStallMs'),
      };
    }),
  };
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: median(sorted), worst: sorted.at(-1) ?? Number.NaN };
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)]!;
  return round((sorted[middle - 1]! + sorted[middle]!) / 2);
}

/** To a tenth of a millisecond: no figure here is sharper. */
export function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** Pinned, dual, pinned, and unbound: one commit each, and one for what others write in between. */
const MAX_COMMITS = 5;
const MAX_OUTAGE_MS = 500;
/** By how much later than the guest runs on the target that is seen of KubeVirt. */
const SWITCH_SEEN_WITHIN_MS = 1_000;
const STORY = 'unbound → pinned → dual → pinned → unbound';

/** What a hand-over promises: everything that this migration broke of it, in words; empty when all is well. */
export function brokenPromises(result: MigrationResult): string[] {
  const { mode, phase, guest, interfaces, commits, warnings } = result;
  const broken: string[] = [];
  if (phase !== 'Succeeded') broken.push(`KubeVirt left it as ${phase}`);
  if (guest !== 'running') broken.push(`the guest is ${guest}, which no network can help`);
  if (mode !== 'handover') return broken;
  if (commits > MAX_COMMITS) broken.push(`the functions committed ${commits} times, ${MAX_COMMITS} are promised`);
  broken.push(...warnings);
  return [...broken, ...interfaces.flatMap((one) => brokenOn(one, result).map((promise) => `${one.port}: ${promise}`))];
}

/** Those that say how long something may take. */
export function latePromises(result: MigrationResult): string[] {
  return result.interfaces.flatMap((one) => lateOn(one, result).map((promise) => `${one.port}: ${promise}`));
}

function lateOn(seen: InterfaceResult, result: MigrationResult): string[] {
  const net = Math.round(outageOfNetworkMs(seen, result));
  if (result.mode !== 'handover' || net < MAX_OUTAGE_MS) return [];
  return [`ping was out for ${net} ms beside the guest's own blackout, ${MAX_OUTAGE_MS} ms are promised`];
}

function brokenOn(seen: InterfaceResult, result: MigrationResult): string[] {
  const { tcpBroken, activatedByRarp, stolenClaims } = seen;
  const broken = lateOn(seen, result);
  if (tcpBroken) broken.push('the TCP connection broke');
  if (!activatedByRarp) broken.push('the target was not opened by the RARP');
  if (stolenClaims > 0) broken.push(`the target stole the claim ${stolenClaims} times before the switch`);
  const story = bindingStory(seen).join(' → ');
  if (story !== STORY) broken.push(`the binding went ${story || 'nowhere'}`);
  return broken;
}

/** The longest silence less the guest's own blackout, where that was a part of it: what is left is the network's. */
export function outageOfNetworkMs(
  { outageMs, outageAtMs }: InterfaceResult,
  { guestBlackoutMs, switchedAtMs }: Pick<MigrationResult, 'guestBlackoutMs' | 'switchedAtMs'>,
): number {
  if (guestBlackoutMs === undefined || switchedAtMs === undefined) return outageMs;
  const endedBefore = outageAtMs + outageMs < switchedAtMs - SWITCH_SEEN_WITHIN_MS - guestBlackoutMs;
  if (endedBefore || outageAtMs > switchedAtMs) return outageMs;
  return Math.max(0, outageMs - guestBlackoutMs);
}

/** `unbound`, `pinned` and `dual` in the order in which they were seen. */
export function bindingStory({ bindings }: InterfaceResult): string[] {
  const words = bindings.map(({ requestedChassis }) =>
    requestedChassis === undefined ? 'unbound' : requestedChassis.includes(',') ? 'dual' : 'pinned',
  );
  return words.filter((word, index) => word !== words[index - 1]);
}
