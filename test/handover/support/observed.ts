import { desired } from '../../../handover/decision/desired.ts';
import type { Facts } from '../../../handover/decision/facts.ts';
import type { Observation } from '../../../handover/decision/observation.ts';
import type { Port } from '../../../handover/decision/port.ts';
import { recordOf, SINCE_KEY } from '../../../handover/decision/record.ts';
import type { Chassis, PortBinding } from '../../../handover/decision/southbound.ts';
import { NOW, VMI } from '../../../testkit/moments.ts';
import { CHASSIS } from './ports.ts';

const BINDING_UUID = '33333333-3333-4333-8333-333333333333';

interface Southbound {
  /** Of every port, in place of a row that nobody has claimed. */
  readonly binding?: Partial<PortBinding>;
  /** By node, in place of its one chassis. */
  readonly chassis?: Readonly<Record<string, readonly Chassis[]>>;
}

/** What one look finds: each of the ports as it should be bound by these facts. */
export function observe(facts: Facts, ports: readonly Port[], { binding, chassis }: Southbound = {}): Observation {
  return {
    vmi: VMI,
    facts,
    migrations: [],
    ports: ports.map((port) => ({ port, wanted: desired(facts, recordOf(port.options)) })),
    southbound: {
      chassis: new Map([
        ...[...CHASSIS].map(([node, name]) => [node, [chassisNamed(name)]] as const),
        ...Object.entries(chassis ?? {}),
      ]),
      bindings: new Map(
        ports.map(({ name, addresses, options }) => [
          name,
          {
            uuid: BINDING_UUID,
            datapath: 'network',
            port: name,
            addresses,
            activated: [],
            since: options[SINCE_KEY],
            chassis: undefined,
            additionalChassis: [],
            ...binding,
          },
        ]),
      ),
    },
    readAt: NOW,
  };
}

export function chassisNamed(name: string): Chassis {
  return { uuid: `uuid of ${name}`, name, strategySupport: 'rarp-only' };
}
