import { type CloudEvent, HTTP } from 'cloudevents';
import { bodyOf, listen } from '../../../../lab/knative/http.ts';

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Subscriber {
  readonly url: string;
  /** What came, in order, with its headers. */
  readonly received: { readonly event: CloudEvent<unknown>; readonly headers: Readonly<Record<string, unknown>> }[];
  close(): Promise<void>;
}

/** An HTTP server that takes CloudEvents and answers what the test says, once it says so. */
export async function startSubscriber(
  answer: (event: CloudEvent<unknown>, count: number) => Answer | Promise<Answer>,
): Promise<Subscriber> {
  const received: Subscriber['received'] = [];
  const { url, close } = await listen(async (request, response) => {
    const event = HTTP.toEvent<unknown>({ headers: request.headers, body: await bodyOf(request) }) as CloudEvent;
    received.push({ event, headers: request.headers });
    const { status, headers, body } = await answer(event, received.length);
    response.writeHead(status, headers).end(body);
  });
  return { url: `${url}/`, received, close };
}
