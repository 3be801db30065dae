import type { InterfaceResult, MigrationResult } from './result.ts';

/** Something that somebody did or saw, ms after the creation of the VMIM. */
export interface Moment {
  readonly atMs: number;
  readonly who: 'KubeVirt' | 'OVN NB' | 'OVN SB' | 'Knative' | 'client';
  readonly what: string;
}

/** All that happened in a migration, in order. */
export function moments(result: MigrationResult): Moment[] {
  const all: Moment[] = [
    ...result.phases.map(({ atMs, what }) => ({ atMs, who: 'KubeVirt' as const, what })),
    ...result.interfaces.flatMap((one) => momentsOf(one, prefixOf(one, result))),
    ...Object.entries(result.functions).flatMap(([name, { coldStarts }]) =>
      coldStarts.map(({ atMs, ms }) => ({
        atMs,
        who: 'Knative' as const,
        what: `${name} is up, cold start ${ms} ms`,
      })),
    ),
  ];
  return all.sort((a, b) => a.atMs - b.atMs);
}

/** Its port, where the VM has more than one. */
export function prefixOf({ port }: InterfaceResult, { interfaces }: MigrationResult): string {
  return interfaces.length > 1 ? `${port}: ` : '';
}

function momentsOf({ bindings, claims, outageMs, outageAtMs }: InterfaceResult, prefix: string): Moment[] {
  return [
    ...bindings
      .filter(({ atMs }) => atMs >= 0)
      .map((binding) => ({
        atMs: binding.atMs,
        who: 'OVN NB' as const,
        what: `${prefix}${word(binding.requestedChassis)}: requested-chassis=${binding.requestedChassis ?? ''}${binding.activationStrategy ? ` activation-strategy=${binding.activationStrategy}` : ''}`,
      })),
    ...claims
      .filter(({ atMs }) => atMs >= 0)
      .map((claim) => ({
        atMs: claim.atMs,
        who: 'OVN SB' as const,
        what: `${prefix}claimed by ${claim.chassis ?? 'nobody'}${named(' and ', claim.additionalChassis)}${named(', opened by RARP on ', claim.activated)}`,
      })),
    {
      atMs: outageAtMs,
      who: 'client',
      what: `${prefix}longest silence begins: ${outageMs} ms without an answer to ping`,
    },
  ];
}

function word(requestedChassis: string | undefined): string {
  if (requestedChassis === undefined) return 'unbound';
  return requestedChassis.includes(',') ? 'dual' : 'pinned';
}

function named(prefix: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `${prefix}${names.join(', ')}`;
}
