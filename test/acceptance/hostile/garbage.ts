import { connect } from 'node:net';

const HEAD = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

/** What does not even hold to HTTP, or hangs up in the middle. */
export const GARBAGE: Readonly<Record<string, string>> = {
  'no request': '\u0000\u0001\u0002\r\n\r\n',
  'TLS to a plain port': '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
  'another protocol': 'SSH-2.0-OpenSSH_9.2\r\n',
  'a version that there is not': 'POST / HTTP/9.9\r\nHost: x\r\n\r\n',
  'no host': 'POST / HTTP/1.1\r\n\r\n',
  'a header with a line break': `${HEAD}ce-id: a\nb: c\r\nContent-Length: 0\r\n\r\n`,
  'a header with a NUL': `${HEAD}ce-id: a\u0000b\r\nContent-Length: 0\r\n\r\n`,
  'headers without end': `${HEAD}ce-subject: ${'x'.repeat(70_000)}\r\n\r\n`,
  'two lengths': `${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
  'a length and chunks': `${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'a negative length': `${HEAD}Content-Length: -1\r\n\r\n{}`,
  'a chunk that is none': `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
  'half a body': `${HEAD}Content-Length: 1000\r\n\r\n{"apiVersion":`,
  'half a head': 'POST / HT',
};

/** Sends bytes and hangs up. @returns the status line, or nothing where there is no answer */
export async function sendGarbage(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).on('error', () => {});
  socket.setTimeout(5_000, () => socket.destroy());
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.end(Buffer.from(bytes, 'latin1'));
  await closed;
  return answer.split('\r\n')[0]!;
}
