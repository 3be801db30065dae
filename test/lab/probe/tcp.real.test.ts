import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startTcp } from '../../../lab/probe/tcp.ts';
import { cleanUp } from '../../../lab/testbed/cleanup.ts';
import { run } from '../../../lab/testbed/command.ts';

const prefix = `p${process.pid}`;
const client = { netns: `${prefix}-client`, address: '127.0.0.1' };

/** An echo service in the client's own namespace; prints a line when it listens. */
const ECHO = `
  const server = require('net').createServer((socket) => socket.pipe(socket).on('error', () => {}));
  server.listen(7, '127.0.0.1', () => console.log('listening'));
`;

let service: ChildProcess;

beforeEach(async () => {
  await run('ip', ['netns', 'add', client.netns]);
  await run('ip', ['-n', client.netns, 'link', 'set', 'lo', 'up']);
  service = spawn('ip', ['netns', 'exec', client.netns, process.execPath, '-e', ECHO], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(service.stdout!, 'data');
});

afterEach(async () => {
  await cleanUp({ directory: '/nonexistent', prefix });
});

test('a connection that is served is not broken', async () => {
  const tcp = await startTcp(client, client.address);
  await sleep(300);
  const result = await tcp.stop();
  expect(result.broken).toBe(false);
  expect(result.answers.length).toBeGreaterThan(5);
  expect(result.answers.map(({ sequence }) => sequence)).toEqual(result.answers.map((_, index) => index + 1));
});

test('a service that stalls shows as a stall, also when it never comes back', async () => {
  const tcp = await startTcp(client, client.address);
  service.kill('SIGSTOP');
  await sleep(700);
  const result = await tcp.stop();
  expect(result.broken).toBe(false);
  expect(result.maxStallMs).toBeGreaterThan(500);
});

test('a connection that the other side ends is broken, and it says why', async () => {
  const tcp = await startTcp(client, client.address);
  service.kill('SIGKILL');
  await sleep(300);
  const result = await tcp.stop();
  expect(result.broken).toBe(true);
  expect(result.reason).toMatch(/closed the connection|ECONNRESET/);
});

test('no connection at all is an error that names both ends', async () => {
  await expect(startTcp(client, '127.0.0.2')).rejects.toThrow(`from ${client.netns} to 127.0.0.2`);
});
