import { formatEndpoint, parseRemote } from '../../src/transport/remote.ts';

it.each([
  ['unix:/run/ovn/ovnnb_db.sock', [{ kind: 'unix', path: '/run/ovn/ovnnb_db.sock' }]],
  ['tcp:10.0.0.1:6641', [{ kind: 'tcp', host: '10.0.0.1', port: 6641 }]],
  ['ssl:nb.example', [{ kind: 'ssl', host: 'nb.example', port: 6640 }]],
  ['tcp:[fd00::1]:6641', [{ kind: 'tcp', host: 'fd00::1', port: 6641 }]],
  [
    'tcp:a:1, tcp:b:2',
    [
      { kind: 'tcp', host: 'a', port: 1 },
      { kind: 'tcp', host: 'b', port: 2 },
    ],
  ],
])('reads %s', (remote, endpoints) => {
  expect(parseRemote(remote)).toEqual(endpoints);
});

it.each([
  '',
  'unix:',
  'tcp:',
  'tcp:host:',
  'tcp:host:0',
  'tcp:host:65536',
  'tcp:fd00::1:6641',
  'ptcp:6640',
  'tcp:a:1,,tcp:b:1',
])('rejects %j in a sentence', (remote) => {
  expect(() => parseRemote(remote)).toThrow(/is not an OVSDB remote: expected unix:/);
});

it('writes endpoints as it reads them', () => {
  for (const remote of ['unix:/a', 'tcp:[::1]:6640', 'ssl:b:1']) {
    expect(parseRemote(remote).map(formatEndpoint)).toEqual([remote]);
  }
});
