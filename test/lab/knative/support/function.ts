import { CloudEvent } from 'cloudevents';
import { applied, nothingToDo, tryAgain } from 'knative-eventing-ts-sdk';

/** A function that does what the type of its event says. */
export async function handle(_context: unknown, event: CloudEvent<unknown>) {
  switch (event.type) {
    case 'who':
      return applied(
        new CloudEvent({ type: 'me', source: '/function', data: { pid: process.pid, greeting: process.env.GREETING } }),
      );
    case 'slow':
      await new Promise((resolve) => setTimeout(resolve, 500));
      return nothingToDo();
    case 'crash':
      return process.exit(7);
    default:
      return tryAgain('not today', { retryAfterSeconds: 1 });
  }
}

if (process.env.BROKEN) throw new Error('the settings are wrong');
