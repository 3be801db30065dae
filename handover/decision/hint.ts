import type { Pod } from './kubevirt.ts';

/**
 * Row uuids of a VM's ports, as `reuse-port` leaves them on the target pod. By uuid ovsdb-server finds a row at
 * once, by anything else it scans the whole table. A hint is never believed: the row found must still be the VM's.
 */
export interface PortHint {
  /** Logical_Switch_Port rows, northbound. */
  readonly ports: readonly string[];
  /** Port_Binding rows, southbound. */
  readonly bindings: readonly string[];
}

const PORTS_ANNOTATION = 'ovn-handover.dev/ports';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** More interfaces than any VM has; a longer list is not ours. */
const MAX_PORTS = 64;

export function portHintOf(pod: Pod): PortHint | undefined {
  const text = pod.metadata.annotations?.[PORTS_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    const { ports, bindings } = JSON.parse(text);
    return isUuidList(ports) && isUuidList(bindings) && ports.length > 0 ? { ports, bindings } : undefined;
  } catch {
    return undefined;
  }
}

export function hintAnnotation(hint: PortHint): Record<string, string> {
  return { [PORTS_ANNOTATION]: JSON.stringify(hint) };
}

export function sameHint(a: PortHint, b: PortHint | undefined): boolean {
  return b !== undefined && hintAnnotation(a)[PORTS_ANNOTATION] === hintAnnotation(b)[PORTS_ANNOTATION];
}

function isUuidList(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_PORTS &&
    // One row named twice would stand in for another that is then never looked at.
    new Set(value).size === value.length &&
    value.every((id) => typeof id === 'string' && UUID.test(id))
  );
}
