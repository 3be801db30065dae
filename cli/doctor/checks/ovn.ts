import { whyNotHeld } from '../../../handover/decision/activation.ts';
import { check, type Finding } from '../finding.ts';
import type { ChassisRow, Member } from '../seen.ts';
import { isBefore, versionOf } from '../version.ts';

/** The schema of OVN 23.03, the oldest that was tried (docs/ovn-versions.md). */
const LEAST_SCHEMA = [20, 27];
const SETTINGS_LINK = 'docs/guide.md#prepare-ovn';
/** KubeVirt runs VMs on these alone. */
const SCHEDULABLE = 'kubevirt.io/schedulable';

export const databases = check(
  'OVN’s databases are reached and in quorum',
  ['members'],
  ({ members }) =>
    [...Map.groupBy(members, ({ database }) => database)].flatMap(([database, all]) => databaseFindings(database, all)),
  'settings',
);

function databaseFindings(database: Member['database'], members: readonly Member[]): readonly Finding[] {
  const variable = database === 'OVN_Northbound' ? 'OVN_NB_REMOTE' : 'OVN_SB_REMOTE';
  const remotes = members.map(({ remote }) => remote).join(',');
  const reached = members.filter(({ problem }) => problem === undefined);
  const common = { level: 'red', link: SETTINGS_LINK } as const;
  if (reached.length === 0) {
    return [
      {
        ...common,
        id: 'ovn-unreachable',
        what: `${database} is not reached: ${members.map(({ remote, problem }) => `${remote}: ${problem}`).join('; ')}`,
        why: 'no function can do its step; a target waits at its gates until KubeVirt gives the migration up',
        mend: `is ${variable} right, and does ovsdb-server listen there? kubectl -n ovn-handover edit configmap ovn-handover`,
      },
    ];
  }
  const findings: Finding[] = [];
  const others = reached.filter(({ row }) => row === undefined);
  if (others.length > 0) {
    findings.push({
      ...common,
      id: 'ovn-wrong-database',
      what: `the server at ${others.map(({ remote }) => remote).join(',')} has no database ${database}`,
      why: 'the remotes may be those of the other database, or of another program',
      mend: `set ${variable}: kubectl -n ovn-handover edit configmap ovn-handover`,
    });
  }
  const rows = reached.flatMap(({ row }) => row ?? []);
  if (
    rows.length > 0 &&
    !rows.some(({ isConnected, isLeader, isClustered }) => isConnected && (isLeader || !isClustered))
  ) {
    findings.push({
      ...common,
      id: 'ovn-no-quorum',
      what: `none of ${remotes} is the leader of ${database}, or has contact to one`,
      why: 'nothing is written without a leader',
      mend: `on each member: ovs-appctl -t ${database === 'OVN_Northbound' ? 'ovnnb_db' : 'ovnsb_db'}.ctl cluster/status ${database}`,
    });
  }
  const lost = members.filter(({ problem, row }) => problem !== undefined || row?.isConnected === false);
  if (findings.length === 0 && lost.length > 0) {
    findings.push({
      ...common,
      level: 'yellow',
      id: 'ovn-member-lost',
      what: `of ${database}, ${lost.map(({ remote, problem }) => `${remote} ${problem ?? 'has lost its cluster'}`).join('; ')}`,
      why: 'one more that is lost, and nothing is written any more',
      mend: `look at that member, or take it out of ${variable}`,
    });
  }
  return findings;
}

export const version = check(
  'OVN is new enough',
  ['ovn'],
  ({ ovn: { schema } }) => {
    const parts = versionOf(schema);
    if (parts && !isBefore(parts, LEAST_SCHEMA)) return [];
    return [
      {
        id: 'ovn-version',
        level: 'red',
        what: `the schema of OVN_Southbound is ${schema}, older than ${LEAST_SCHEMA.join('.')} of OVN 23.03`,
        why: 'older ones may know no port on two chassis, or not hold it closed',
        mend: 'upgrade OVN to 23.03 or newer',
        link: 'docs/ovn-versions.md#the-matrix',
      },
    ];
  },
  'settings',
);

export const chassis = check(
  'every node has exactly one chassis',
  ['nodes', 'chassis'],
  ({ nodes, chassis }) => {
    const own = chassis.filter(({ isRemote }) => !isRemote);
    const labelled = nodes.filter(({ metadata }) => metadata.labels?.[SCHEDULABLE] === 'true');
    return (labelled.length > 0 ? labelled : nodes).flatMap(({ metadata: { name } }): readonly Finding[] => {
      const found = own.filter((row) => row.hostname === name || row.name === name);
      const link = 'docs/guide.md#warnings-on-a-vm';
      if (found.length === 0) {
        return [
          {
            id: 'chassis-missing',
            level: 'red',
            what: `OVN southbound has no chassis with hostname or name ${name}`,
            why: 'a migration from or to this node has no hand-over: it waits, with ChassisUnknown',
            mend: `on ${name}: is ovn-controller running, and is ovs-vsctl get Open_vSwitch . external_ids:hostname the node’s name?`,
            link,
          },
        ];
      }
      if (found.length === 1) return [];
      return [
        {
          id: 'chassis-ambiguous',
          level: 'yellow',
          what: `${found.length} chassis go by the node ${name}: ${found.map((row) => row.name).join(', ')}`,
          why: 'a reinstalled node left its old one; which one lives cannot always be told, and then migrations wait',
          mend: `ovn-sbctl chassis-del STALE, for the one that does not live: ${found.map((row) => row.name).join(' or ')}`,
          link,
        },
      ];
    });
  },
  'settings',
);

/** Held by whatever a chassis knows at all. */
const ANY_ADDRESS = ['02:00:00:00:00:01 192.0.2.1 2001:db8::1'];

export const strategy = check(
  'each chassis holds a target by the activation strategy',
  ['settings', 'chassis'],
  ({ settings, chassis }) => {
    const wanted = settings?.OVN_ACTIVATION_STRATEGY || 'rarp';
    const own = chassis.filter(({ isRemote }) => !isRemote);
    const unfit = own.filter(({ strategySupport }) => whyNotHeld(wanted, ANY_ADDRESS, strategySupport) !== undefined);
    if (unfit.length === 0) return [];
    return [
      {
        id: 'strategy-unsupported',
        level: unfit.length === own.length ? 'red' : 'yellow',
        what: `OVN_ACTIVATION_STRATEGY is ${wanted}, and ovn-controller knows only rarp on ${names(unfit)}`,
        why: 'the target’s port would be open from the start, so it stays with the source until the switch: an outage',
        mend: `kubectl -n ovn-handover patch configmap ovn-handover --type=merge -p '{"data":{"OVN_ACTIVATION_STRATEGY":"rarp"}}'`,
        link: 'docs/ovn-versions.md#strategies',
      },
    ];
  },
  'settings',
);

function names(rows: readonly ChassisRow[]): string {
  const shown = rows.slice(0, 5).map(({ name }) => name);
  return rows.length > shown.length ? `${shown.join(', ')} and ${rows.length - shown.length} more` : shown.join(', ');
}

export const optimiser = check('Kube-OVN leaves migrations to us', ['settings', 'kubeOvn'], ({ settings, kubeOvn }) => {
  if (kubeOvn === undefined || (settings?.OVN_PROFILE ?? 'kube-ovn') !== 'kube-ovn') return [];
  const args = kubeOvn.spec.template.spec.containers.flatMap((container) => container.args ?? []);
  const flag = args.findLast((arg) => /^--enable-live-migration-optimize\b/.test(arg));
  if (flag?.endsWith('=false')) return [];
  const { name, namespace } = kubeOvn.metadata;
  return [
    {
      id: 'kube-ovn-optimiser',
      level: 'red',
      what: `Kube-OVN’s controller runs with ${flag ?? '--enable-live-migration-optimize at its default, true'}`,
      why: 'it writes the same options of the same ports, and each undoes the other’s',
      mend: `kubectl -n ${namespace} patch deployment ${name} --type=json -p '[{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--enable-live-migration-optimize=false"}]'`,
      link: SETTINGS_LINK,
    },
  ];
});
