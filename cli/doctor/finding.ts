import type { Sections, Seen } from './seen.ts';

/** `red`: migrations lose packets, or do not work; `yellow`: they may, or something could not be looked at. */
export type Level = 'red' | 'yellow';

/** Something that is not as it should be. */
export interface Finding {
  /** For machines: it stays the same. */
  readonly id: string;
  readonly level: Level;
  readonly what: string;
  /** Why it matters. */
  readonly why: string;
  /** A command where one mends it. */
  readonly mend: string;
  /** File and section of the docs. */
  readonly link: string;
}

/** `settings` are known before anything is installed: they are the overlay's. */
export type Stage = 'settings' | 'installed';

export interface Check {
  readonly title: string;
  /** Any of these has to be there, or there is nothing to check; none: it is for every cluster. */
  readonly appliesTo: readonly Stage[];
  /** @returns `undefined` where another check says why there was nothing to look at */
  run(seen: Seen): readonly Finding[] | undefined;
}

/**
 * A check is a pure function of what was read. Where something that it needs could not be read, that is its finding.
 * @param find what is wrong, by these sections
 */
export function check<Name extends keyof Sections>(
  title: string,
  needs: readonly Name[],
  find: (seen: Pick<Sections, Name>) => readonly Finding[],
  ...appliesTo: readonly Stage[]
): Check {
  return {
    title,
    appliesTo,
    run(seen) {
      if (needs.some((name) => 'skipped' in seen[name])) return undefined;
      const unread = needs.flatMap((name) => {
        const section = seen[name];
        return 'problem' in section ? [{ name, problem: section.problem }] : [];
      });
      if (unread.length > 0) return unread.map(({ name, problem }) => notRead(title, name, problem));
      const values = needs.map((name) => [name, (seen[name] as { readonly value: unknown }).value]);
      return find(Object.fromEntries(values) as Pick<Sections, Name>);
    },
  };
}

function notRead(title: string, section: string, problem: string): Finding {
  return {
    id: 'not-read',
    level: 'yellow',
    what: `${title}: ${section} could not be read: ${problem}`,
    why: 'what is wrong there stays unseen',
    mend: 'run it with a kubeconfig that may read it; for OVN see --ovn',
    link: 'docs/guide.md#check-before-and-after-doctor',
  };
}
