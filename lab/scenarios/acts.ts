import { besideKubeOvn } from './beside-kube-ovn.ts';
import { chassisRenamed } from './chassis-renamed.ts';
import { failures } from './failures.ts';
import { genericProfile } from './generic-profile.ts';
import { nobodyListens } from './nobody-listens.ts';
import { nodeDies } from './node-dies.ts';
import { oddMigrations } from './odd-migrations.ts';
import { others } from './others.ts';
import type { Act } from './scenario.ts';
import { successes } from './successes.ts';
import { lives } from './vm-lives.ts';

/** All scenarios, in the order in which they are played; those of one act side by side. */
export const acts: readonly Act[] = [
  { title: 'migrations that succeed', scenarios: successes },
  { title: 'migrations that are cancelled or fail', scenarios: failures },
  { title: 'VMs that end, start anew or die', scenarios: lives },
  { title: 'events twice, late and forged; other writers; VMs that are none of ours', scenarios: others },
  { title: 'migrations of rare kinds', scenarios: oddMigrations },
  { title: 'what Kube-OVN writes to the port meanwhile', scenarios: besideKubeOvn },
  chassisRenamed,
  nodeDies,
  nobodyListens,
  genericProfile,
];
