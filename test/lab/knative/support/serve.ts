/** Serves a function in a process of its own, for a test that kills it; prints the pid of the function. */
import { CloudEvent } from 'cloudevents';
import { postEvent } from '../../../../lab/knative/post-event.ts';
import { startServing } from './functions.ts';

const { url } = await startServing({ idle: 60_000 });
const event = new CloudEvent({ type: 'who', source: '/test', data: {} });
const { body } = await postEvent(url, event, { signal: AbortSignal.timeout(30_000) });
console.log(JSON.parse(body).pid);
