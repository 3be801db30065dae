import { CloudEvent } from 'cloudevents';
import {
  type Answer,
  applied,
  checkManifests,
  eventOf,
  MalformedEventError,
  millisecondsOf,
  nothingToDo,
  parseManifest,
  parseReferenceEvent,
  parseResourceEvent,
  type ResourceEvent,
  reject,
  type Trigger,
  tryAgain,
} from 'knative-eventing-ts-sdk';

const trigger: Trigger = {
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { name: 'ship', namespace: 'shop' },
  spec: { broker: 'orders', filters: [{ cesql: "kind = 'Pod'" }], subscriber: { uri: 'http://ship.shop' } },
};
// @ts-expect-error a mode that there is not
const mode: 'Reference' | 'Resource' = 'Whole';
// @ts-expect-error a status that Knative tries again
const wrong = (): Answer => reject(404, 'not found');

const headers = new Headers({
  'ce-specversion': '1.0',
  'ce-id': '1',
  'ce-source': 'https://10.96.0.1:443',
  'ce-type': 'dev.knative.apiserver.resource.add',
});
const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-01' } };
const event: CloudEvent<unknown> = eventOf({ headers, body: new TextEncoder().encode(JSON.stringify(body)) });
const { action, object }: ResourceEvent = parseResourceEvent(event);

function pointer(attempt: () => unknown): string {
  try {
    attempt();
    return 'nothing is wrong';
  } catch (error) {
    return error instanceof MalformedEventError ? `${error.statusCode} ${error.where}` : String(error);
  }
}

const answers: Answer[] = [
  applied(new CloudEvent({ type: 'com.example.seen', source: '/seen', data: object.metadata.name })),
  nothingToDo(),
  tryAgain('later', { retryAfterSeconds: 1.5 }),
  reject(422, 'never'),
];
console.log(
  JSON.stringify({
    mode,
    action,
    name: object.metadata.name,
    reference: pointer(() => parseReferenceEvent(event)),
    wrong: pointer(wrong),
    answers: answers.map(({ statusCode, body: text }) => [statusCode, text]),
    milliseconds: millisecondsOf('PT0.2S'),
    broker: parseManifest('Trigger', trigger).spec.broker,
    problems: checkManifests([{ ...trigger, spec: { ...trigger.spec, filtres: [] } }]),
  }),
);
