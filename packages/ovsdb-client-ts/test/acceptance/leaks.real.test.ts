import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

it('leaves nothing behind of a lock, a monitor or a cache that is closed while the client lives on', () => {
  const script = fileURLToPath(new URL('leaks-main.ts', import.meta.url));
  const args = ['--expose-gc', '--conditions=ovn-handover-source', '--no-warnings', script, '1000'];
  const { stdout, stderr } = spawnSync('node', args, { encoding: 'utf8', timeout: 300_000 });
  expect({ stderr, verdict: stdout.trim().split('\n').at(-1), stdout }).toMatchObject({ stderr: '', verdict: 'PASS' });
}, 320_000);
