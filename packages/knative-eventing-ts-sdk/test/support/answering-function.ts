import { CloudEvent, HTTP } from 'cloudevents';
import {
  applied,
  MalformedEventError,
  nothingToDo,
  parsePingEvent,
  parseResourceEvent,
  readEventsByEventOf,
  reject,
  tryAgain,
} from '../../src/index.ts';

readEventsByEventOf(HTTP);

/** Reads each event with the package's parser, and answers as the event's `wish` extension says. */
export function handle(_context: unknown, event: unknown) {
  try {
    if ((event as { type?: unknown } | undefined)?.type === 'dev.knative.sources.ping') {
      return applied(new CloudEvent({ type: 'test.read', source: '/test', data: { ...parsePingEvent(event) } }));
    }
    const { action, subject, object } = parseResourceEvent(event);
    switch ((event as { wish?: string }).wish) {
      case 'nothing':
        return nothingToDo();
      case 'again':
        return tryAgain('OVN is away:\n\tconnection\r\n rejected', { retryAfterSeconds: 1.2 });
      case 'reject':
        return reject(422, 'no such VMI');
      case 'dataless':
        return applied(new CloudEvent({ type: 'test.dataless', source: '/test' }));
      case 'text':
        return applied(
          new CloudEvent({ type: 'test.text', source: '/test', datacontenttype: 'text/plain', data: 'so be it' }),
        );
      default:
        return applied(
          new CloudEvent({
            id: 'an-id',
            type: 'test.read',
            source: '/test',
            subject: 'prod/Zoë',
            attempt: 3,
            data: { action, subject, name: object.metadata.name },
          }),
        );
    }
  } catch (error) {
    if (error instanceof MalformedEventError) return reject(error.statusCode, error.message);
    throw error;
  }
}
