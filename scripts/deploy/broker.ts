import type { Manifest, Stages } from './stages.ts';
import { output, run, say } from './tools.ts';

const CLASS = 'eventing.knative.dev/broker.class';

/**
 * Makes room for a Broker of another class, which Knative takes no change of. The Triggers go first: the controller of
 * their old class takes away what it made for them, which the new one does not know.
 */
export async function makeRoomForBroker({ base, triggers }: Stages, directory: string): Promise<void> {
  for (const broker of base.filter(({ kind }) => kind === 'Broker')) {
    const there = await existing(broker);
    const [is, becomes] = [classOf(there), classOf(broker)];
    if (there === undefined || is === becomes) continue;
    const { name, namespace = 'default' } = broker.metadata;
    say(
      `the Broker ${name} changes from ${is} to ${becomes}: events under way in the old one are lost, reconcile makes up for them`,
    );
    const names = triggers.map(({ metadata }) => metadata.name);
    const remove = ['-n', namespace, 'delete', '--ignore-not-found'];
    if (names.length > 0) await run('kubectl', [...remove, 'triggers.eventing.knative.dev', ...names], directory);
    await run('kubectl', [...remove, 'brokers.eventing.knative.dev', name], directory);
  }
}

async function existing({ metadata: { name, namespace = 'default' } }: Manifest): Promise<Manifest | undefined> {
  const get = ['-n', namespace, 'get', 'brokers.eventing.knative.dev', name, '--ignore-not-found', '-o', 'json'];
  const found = await output('kubectl', get);
  return found === '' ? undefined : (JSON.parse(found) as Manifest);
}

function classOf(broker: Manifest | undefined): string {
  return broker?.metadata.annotations?.[CLASS] ?? '';
}
