import { CERTIFICATES, SETTINGS } from '../../cli/cluster/installation.ts';
import type { GateVersion } from '../../cli/cluster/kinds.ts';
import { Session } from '../../cli/cluster/session.ts';
import { type Data, type Installed, readInstalled } from '../../cli/cluster/settings.ts';
import { examine } from '../../cli/doctor/checks.ts';
import { checkedText } from '../../cli/doctor/command.ts';
import { readAll } from '../../cli/doctor/read.ts';
import { CommandError } from '../../cli/errors.ts';
import { processTerminal } from '../../cli/output/terminal.ts';
import type { Manifest, Stages } from './stages.ts';
import { DeployError, say } from './tools.ts';

/**
 * Looks at all that `doctor` looks at before an installation, by the settings of the overlay.
 * @param isForced whether red findings are only told
 * @returns the newest version of MutatingAdmissionPolicy that the API server offers
 */
export async function checkCluster({ base }: Stages, isForced: boolean): Promise<GateVersion | undefined> {
  const terminal = processTerminal(process.env);
  try {
    await using session = new Session({ ovn: 'auto' }, process.env);
    const planned = plannedBy(base, await readInstalled(session.api));
    const { seen, stages } = await readAll(session, { planned, probe: false });
    const checked = examine(seen, stages);
    terminal.print(checkedText(checked, terminal));
    const red = checked.flatMap(({ findings = [] }) => findings).filter(({ level }) => level === 'red');
    const ids = red.map(({ id }) => id).join(', ');
    if (ids && !isForced) {
      throw new DeployError(`nothing was built or applied: mend ${ids}, see above, or give --force`);
    }
    if (ids) say(`goes on in spite of ${ids}`);
    return 'value' in seen.kubernetes ? seen.kubernetes.value.gate : undefined;
  } catch (error) {
    if (error instanceof CommandError) throw new DeployError(error.message);
    throw error;
  }
}

/** What there will be: the overlay's settings, and its certificates or those that are there already. */
export function plannedBy(base: readonly Manifest[], installed: Installed): Installed {
  const dataOf = (kind: string, name: string): Data | undefined => {
    const found = base.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
    return found && (found.data ?? {});
  };
  return {
    settings: dataOf('ConfigMap', SETTINGS) ?? installed.settings,
    certificates: dataOf('Secret', CERTIFICATES) ?? installed.certificates,
  };
}
